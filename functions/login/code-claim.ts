/**
 * Sending a single-use code twice, safely: the first request exchanges it, others with the same nonce wait for
 * what came of it, and nobody else can use it here. Codes are kept as HMACs.
 */

import type { Clock, CodeClaim, CodeClaimStore, Lookup } from '../../shared/ports.ts'
import { Problem } from '../../shared/problem.ts'

/** How long a repeated code is answered as at first. */
export const CODE_REPEAT_MS = 60_000
const POLL_MS = 100
/** What a waiting request keeps for its own answer. */
const RESERVE_MS = 1000
const WAIT_MAX_MS = 4000

/** A code, and who sends it. */
export interface ClaimRequest {
  /** Keeps codes of different kinds apart. */
  purpose: 'login-code' | 'phone-code'
  code: string
  /** Who may repeat it: the device that logs in, or the user that binds a number. */
  nonce: string
  remainingMs: () => number
}

/** Whether the code is the caller’s to exchange, or was exchanged already. */
export type ClaimResult =
  | {
      state: 'settled'
      userId: string
      sessionId: string | null
      phoneSealed: Uint8Array | null
    }
  | {
      state: 'mine'
      settle(outcome: Parameters<CodeClaimStore['settle']>[1]): Promise<void>
      /** After a failure: the code may be sent again. */
      release(): Promise<void>
    }

/** @throws {Problem} when somebody else sent the code, or its exchange does not end in time */
export async function claimCode(
  { codeClaims, lookup, clock }: { codeClaims: CodeClaimStore; lookup: Lookup; clock: Clock },
  { purpose, code, nonce, remainingMs }: ClaimRequest,
): Promise<ClaimResult> {
  const digest = lookup.digest(purpose, code)
  const nonceDigest = lookup.digest(`${purpose}-nonce`, nonce)
  const claim = (): Promise<CodeClaim | undefined> =>
    codeClaims.claim(digest, { nonceDigest, atMs: clock.now() })

  const leftAtEndMs = Math.max(remainingMs() - WAIT_MAX_MS, RESERVE_MS)
  for (;;) {
    const earlier = await claim()
    if (!earlier) {
      return {
        state: 'mine',
        settle: (outcome) => codeClaims.settle(digest, outcome),
        release: () => codeClaims.release(digest),
      }
    }
    const isMine = Buffer.compare(earlier.nonceDigest, nonceDigest) === 0
    const isRecent = clock.now() - earlier.claimedAtMs <= CODE_REPEAT_MS
    if (!isMine || !isRecent) throw new Problem(rejection[purpose])
    const { userId, sessionId, phoneSealed } = earlier
    if (userId !== null) return { state: 'settled', userId, sessionId, phoneSealed }
    if (remainingMs() < leftAtEndMs) throw new Problem('login-in-progress')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

const rejection = {
  'login-code': 'wechat-rejected-code',
  'phone-code': 'phone-code-rejected',
} as const
