/**
 * The one session of this mini program on this device: kept, renewed, ended. However many calls find it missing or
 * expired, one of them logs in or refreshes and all others wait for that.
 */

import type { Route } from './carrier.ts'
import { ClientError, networkError } from './client-error.ts'
import type { LoginAnswer, TokenPair, User } from './contract.ts'
import { STALE_AFTER } from './limits.ts'
import { attempt, ignorePromise, type Keep, randomSecret, type WxLike } from './platform.ts'
import type { Send } from './requests.ts'
import { sha256 } from './sha256.ts'

/** A session, which a newer one replaces and nothing changes. */
export interface Session extends TokenPair {
  user: User
  /** What the session is bound to; empty when it is not. */
  secret: string
  /** When to refresh without having been told to. */
  staleAtMs: number
}

/** The session as calls use it. */
export interface SessionKeeper {
  /** A fresh `wx.login` code. */
  code(): Promise<string>
  /**
   * A session that should be good; after a 401, another one than was `rejected`. Without `mayLogIn` never by
   * `wx.login`. @throws {ClientError} `signed-out` where it takes a login that may not be
   */
  session(mayLogIn: boolean, rejected?: Session): Promise<Session>
  /** Logs in where it has to be, also after `signOut`. */
  login(): Promise<User>
  /** Forgets the session and stays so until `login`. */
  signOut(): void
}

/** Who logs in, and how; see `ClientOptions`. */
export interface SessionOptions {
  getLoginCode?: () => Promise<string>
  bindsSession?: boolean
}

/** A keeper over a storage. */
export function createSessionKeeper(
  send: Send,
  keep: Keep,
  wx: Required<WxLike>,
  { getLoginCode = () => wxLoginCode(wx), bindsSession = true }: SessionOptions,
): SessionKeeper {
  /** Nothing where there is none yet, `false` after a logout, which only `login` takes back. */
  let current = keep.read('session') as Session | false | null | undefined

  function change(next: typeof current): void {
    current = next
    keep.write('session', next)
  }

  function post<Output>(route: Route, body: object, secret = ''): Promise<Output> {
    return send({ route, body, headers: headersOf({ secret }) }) as Promise<Output>
  }

  async function startSession(): Promise<void> {
    const before = current
    const code = await getLoginCode()
    const random = await randomSecret(wx)
    const secret = bindsSession ? random : ''
    // What lets a lost answer be asked for again, so nobody may guess it.
    const device = `${attempt(() => wx.getDeviceInfo().model) || 'device'} ${random.slice(22)}`
    const proof = secret && { proofKey: sha256(secret) }
    const answer = await post<LoginAnswer>('POST /login', { code, device, ...proof })
    if (current === before) change(sessionOf({ secret }, answer))
  }

  const logIn = singleFlight(() =>
    startSession().catch((error: ClientError) => {
      // The code was used up or ran out on the way; a fresh one may do.
      if (error.retry === 'login') return startSession()
      throw error
    }),
  )

  /** Leaves a fresh session, or none. */
  const refresh = singleFlight(async () => {
    const before = current
    const stored = keep.read('session') as typeof current
    if (stored === false || (stored && stored.staleAtMs > (before ? before.staleAtMs : 0))) {
      // Another client of the same mini program was faster; an old refresh token would end its session.
      current = stored
      return
    }
    if (!before) return
    const { refreshToken, secret } = before
    const next = await post<TokenPair>('POST /login/refresh', { refreshToken }, secret).then(
      (pair) => sessionOf(before, pair),
      (error: ClientError) => {
        if (error.status !== 401) throw error
        return null
      },
    )
    if (current === before) change(next)
  })

  async function session(mayLogIn: boolean, rejected?: Session): Promise<Session> {
    // An old session's 401 that comes late says nothing of the new session.
    if (rejected ? rejected === current : !current || Date.now() > current.staleAtMs) {
      await refresh()
      if (mayLogIn && current == null) await logIn()
    }
    if (current) return current
    throw new ClientError('signed-out', '请登录', 'login')
  }

  return {
    session,
    code: getLoginCode,
    async login() {
      if (!current) change(null)
      return (await session(true)).user
    },
    signOut: () => change(false),
  }
}

/** What a call carries: JSON, and who sends it. */
export function headersOf(session?: Partial<Session>): Record<string, string> {
  const { token, secret } = session || {}
  return {
    'content-type': 'application/json',
    ...(token && { authorization: `Bearer ${token}` }),
    ...(secret && { 'x-session-proof': secret }),
  }
}

function sessionOf(known: Partial<Session>, pair: TokenPair): Session {
  const staleAtMs = Date.now() + pair.expiresIn * 1000 * STALE_AFTER
  return { ...known, ...pair, staleAtMs } as Session
}

/** All who call while one is under way get that one's end. */
function singleFlight(work: () => Promise<void>): () => Promise<void> {
  let flight: Promise<void> | undefined
  const land = (): void => {
    flight = undefined
  }
  return () => {
    flight = flight || work().finally(land)
    return flight
  }
}

/** https://developers.weixin.qq.com/miniprogram/dev/api/open-api/login/wx.login.html */
function wxLoginCode(wx: Required<WxLike>): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (failure: unknown): void => reject(networkError(failure))
    ignorePromise(wx.login({ success: ({ code }) => resolve(code), fail }))
  })
}
