/**
 * Who calls, and whether they may call so often: by a token and its session, or by the platform's word.
 * In three steps, because what costs nothing comes first; see `run` in `endpoint.ts`.
 */

import type { Call } from './call.ts'
import { subscriberOf } from './network-addresses.ts'
import type {
  AccessClaims,
  Caller,
  Limiter,
  LivingSession,
  NumberHolding,
  PlatformSessions,
  SecurityLog,
  Sessions,
  Tokens,
} from './ports.ts'
import { Problem } from './problem.ts'

/** What it takes to tell who calls. */
export interface Authority {
  tokens: Pick<Tokens, 'verify'>
  sessions: Pick<Sessions, 'check' | 'unchecked'>
  /** User ids and openids of operators. */
  operators: ReadonlySet<string>
  limiter: Limiter
  /** For callers the platform vouches for. */
  platformSessions: PlatformSessions
  /** Where it matters who holds a number. */
  numbers?: NumberHolding
}

/** Handlers of open endpoints are given this; none of its ids exists. */
export const nobody: Caller = {
  userId: '',
  sessionId: '',
  openid: '',
  isOperator: false,
  isVouchedFor: false,
  heldSince: () => undefined,
}

/**
 * What the call's token says, by its signature alone; `undefined` for a caller whom the platform vouches for.
 * @throws {Problem} `not-logged-in` without a token, `unauthenticated` for every token that is not in order
 */
export async function verifyToken(
  { token, platformCaller }: Call,
  { tokens }: Authority,
  security: SecurityLog,
): Promise<AccessClaims | undefined> {
  if (platformCaller) return undefined
  if (token === undefined) throw new Problem('not-logged-in')
  const claims = await tokens.verify(token, security)
  if (!claims) throw new Problem('unauthenticated')
  return claims
}

/**
 * Counts the call. People are limited by who they are, everybody else by where they call from. Those of whom nobody
 * says that count as one; those of whom a header says it count together as well, for it may be the client's own.
 * @throws {Problem} `too-many-requests`
 */
export async function limit(
  { route, isUnlimited = false }: { route: string; isUnlimited?: boolean },
  claims: AccessClaims | undefined,
  call: Call,
  { limiter }: Authority,
): Promise<void> {
  if (isUnlimited) return
  const userId = claims?.userId ?? call.platformCaller?.openid
  if (userId !== undefined) return limiter.admit({ kind: 'user', id: userId, route })
  const { ip = '', isForwarded } = call.clientAddress()
  await limiter.admit({ kind: 'address', id: subscriberOf(ip), route })
  if (isForwarded) await limiter.admit({ kind: 'forwarded', id: '', route })
}

/** Who calls, by a session that lives. @throws {Problem} `unauthenticated` */
export async function findCaller(
  claims: AccessClaims | undefined,
  call: Call,
  needs: Authority,
): Promise<Caller> {
  const { operators, numbers } = needs
  const session = await findSession(claims, call, needs)
  if (!session) throw new Problem('unauthenticated')
  const { userId, sessionId, openid, phone } = session
  return {
    userId,
    sessionId,
    openid,
    isOperator: operators.has(userId) || operators.has(openid),
    isVouchedFor: claims === undefined,
    heldSince: (acc_nbr) => numbers?.since(phone, acc_nbr),
  }
}

async function findSession(
  claims: AccessClaims | undefined,
  { proof, platformCaller }: Call,
  { sessions, platformSessions }: Authority,
): Promise<LivingSession | undefined> {
  if (claims) return sessions.check(claims, proof)
  return platformCaller && platformSessions.enter(platformCaller)
}
