/** The API as calls, over whichever platform there is. */

import { type AbortSignalLike, unlessAborted } from './abort.ts'
import {
  type Carrier,
  cloudCarrier,
  type FunctionName,
  fetchCarrier,
  functionOf,
  type HttpRequest,
  KEY_HEADER,
  type Request,
  type Route,
  wxCarrier,
} from './carrier.ts'
import type { ClientError } from './client-error.ts'
import type {
  AccountPage,
  Device,
  DeviceList,
  Form,
  MaskedPhone,
  Page,
  RatingInput,
  Submitted,
  Summary,
  User,
} from './contract.ts'
import { attempt, type CloudLike, createKeep, type FetchLike, type WxLike } from './platform.ts'
import { createSend } from './requests.ts'
import { createSessionKeeper, headersOf, type Session } from './session-keeper.ts'
import { createSubmissions } from './submissions.ts'
import { startWatch, type Watch, type WatchOptions } from './watch.ts'

/** Where the back end is and what the platform offers. `baseUrl` or `cloud` must be given. */
export interface ClientOptions {
  /** `https://…` of all functions, or of each where they have no domain in common. */
  baseUrl?: string | Record<FunctionName, string>
  /** Default: the global `wx`. With Taro `wx: Taro`, with uni-app `wx: uni`. */
  wx?: WxLike
  /** Used where there is no `wx`. Default: the global `fetch`. */
  fetch?: FetchLike
  /** `wx.cloud` after `wx.cloud.init(…)`: calls go by `callFunction`, and WeChat tells the server who calls. */
  cloud?: CloudLike
  /** What a function is called in the cloud. Default: `login`, `submit-score`, `query-scores`. */
  functionName?: (name: FunctionName) => string
  /** A fresh login code where there is no `wx.login`. */
  getLoginCode?: () => Promise<string>
  /** Milliseconds for one answer; 12,000 unless given. Functions have 10 seconds. */
  timeoutMs?: number
  /** Milliseconds before the first repetition; 500 unless given. Each further one waits twice as long. */
  retryDelayMs?: number
  /** Whether a stolen token is worthless without a secret of this device; true unless given. */
  bindsSession?: boolean
}

/** What every call takes. */
export interface CallOptions {
  /** Rejects with `aborted` when set off; from `createAbort()` or an AbortController. */
  signal?: AbortSignalLike | undefined
}

/** Which page of a list. */
export interface PageOptions extends CallOptions {
  /** `next` of the page before. */
  cursor?: string | null | undefined
  /** 1 to 100 ratings; 20 unless given. */
  limit?: number | undefined
}

/**
 * The calls. All but `form` log in when there is no session yet; all reject with `ClientError`. A lost answer is
 * asked for again, and nothing that is sent twice happens twice.
 */
export interface Client {
  /** Makes sure of a session. Needed before a phone button is shown, and after `logout`. `undefined` with `cloud`. */
  login(): Promise<User | undefined>
  /** The rating form; needs no session. */
  form(options?: CallOptions): Promise<Form>
  /** Stores a rating once, also when the page crashed before it was answered and sends it again. */
  submit(rating: RatingInput, options?: CallOptions): Promise<Submitted>
  /** One's own ratings of all accounts, newest first. */
  myScores(options?: PageOptions): Promise<Page>
  /** The ratings of an account that one may read, newest first; with `since` of a page only what is newer. */
  query(
    acc_nbr: string,
    options?: PageOptions & { since?: string | null | undefined },
  ): Promise<AccountPage>
  /** Counts and means of the same ratings. */
  summary(acc_nbr: string, options?: CallOptions): Promise<Summary>
  /**
   * Binds a phone number: `event.detail.code` of a getPhoneNumber button. Never calls `wx.login`, which must not be
   * called in the button's callback: without a session it rejects with `signed-out`. Somebody else's number is refused
   * with `fresh-login-required`: send the same code again with a fresh `wx.login` code.
   */
  bindPhone(code: string, options?: CallOptions, loginCode?: string): Promise<MaskedPhone>
  /** Gives the number up. */
  unbindPhone(options?: CallOptions): Promise<void>
  /** Where one is logged in. */
  devices(options?: CallOptions): Promise<Device[]>
  /** Ends the session of one of them; one that has ended already is as good. */
  endDevice(id: string, options?: CallOptions): Promise<void>
  /** Ends this session, or all. Until `login` is called, other calls reject with `signed-out`. */
  logout(options?: CallOptions & { everywhere?: boolean | undefined }): Promise<void>
  /** Makes the server forget the person. Afterwards as after `logout`. */
  forgetMe(options?: CallOptions): Promise<void>
  /** Tells of new ratings of an account as they come, until stopped. */
  watch(acc_nbr: string, options: WatchOptions): Watch
}

declare const wx: WxLike | undefined

interface Content extends Partial<Pick<Request, 'body' | 'query' | 'headers'>> {
  mayLogIn?: boolean
}

/** A client; make one and share it. @throws {Error} naming the option that is missing or wrong */
export function createClient(options: ClientOptions): Client {
  const { baseUrl, cloud, timeoutMs = 12_000, retryDelayMs = 500 } = options
  // What is missing throws when it is used, and that is caught.
  const platform = (options.wx || attempt(() => wx)) as Required<WxLike>
  // The trial version of a mini program, or one with another server, must not use this one's session.
  const { appId, envVersion } = attempt(() => platform.getAccountInfoSync().miniProgram) || {}
  const prefix = JSON.stringify(['miniscore', appId, envVersion, baseUrl])
  const keep = createKeep(prefix, platform)
  const send = createSend(carrierOf(options, platform), timeoutMs, retryDelayMs)
  const submission = createSubmissions(keep)
  const keeper = createSessionKeeper(send, keep, platform, options)

  function call<Output>(
    route: Route,
    { signal }: CallOptions = {},
    { mayLogIn = true, headers, body, query }: Content = {},
  ): Promise<Output> {
    const sendAs = (session?: Session) =>
      send({ route, body, query, headers: { ...headers, ...headersOf(session) } }, signal)

    return unlessAborted(signal, async () => {
      // WeChat tells the function who calls, and everybody may see the form.
      if (cloud || route === 'GET /form') return sendAs()
      const session = await keeper.session(mayLogIn)
      try {
        return await sendAs(session)
      } catch (error) {
        if ((error as ClientError).status !== 401) throw error
        return sendAs(await keeper.session(mayLogIn, session))
      }
    }) as Promise<Output>
  }

  const client: Client = {
    login: async () => (cloud ? undefined : keeper.login()),
    form: (options) => call('GET /form', options),
    submit(rating, options) {
      const { key, answered } = submission(rating)
      const content = { body: rating, headers: { [KEY_HEADER]: key } }
      return call<Submitted>('POST /score', options, content).then(
        (stored) => {
          answered()
          return stored
        },
        (error: ClientError) => {
          // Refused for good. Everything else may have been stored, or may still be.
          if (error.status && error.retry === 'never') answered()
          throw error
        },
      )
    },
    myScores: (options = {}) =>
      call('GET /score', options, { query: { cursor: options.cursor, limit: options.limit } }),
    query: (acc_nbr, options) =>
      call('POST /query', options, { body: { ...options, acc_nbr, signal: undefined } }),
    summary: (acc_nbr, options) => call('POST /query/summary', options, { body: { acc_nbr } }),
    bindPhone: (code, options, loginCode) =>
      call('POST /login/phone', options, { body: { code, loginCode }, mayLogIn: false }),
    unbindPhone: (options) => call('DELETE /login/phone', options),
    devices: (options) =>
      call<DeviceList>('GET /login/devices', options).then(({ items }) => items),
    endDevice: (id, options) =>
      call<void>(`DELETE /login/devices/${id}`, options).catch((error: ClientError) => {
        if (error.code !== 'not-found') throw error
      }),
    logout: (options = {}) =>
      call<void>('POST /logout', options, {
        body: { everywhere: options.everywhere },
        mayLogIn: false,
      })
        .catch((error: ClientError) => {
          // The session had ended before, so nothing is left to end, unless others were meant too.
          if (options.everywhere || error.code !== 'signed-out') throw error
        })
        .then(keeper.signOut),
    forgetMe: async (options) =>
      call<void>('DELETE /login/me', options, {
        // With `cloud` WeChat vouches for the person with every call.
        body: { code: cloud ? undefined : await keeper.code() },
      }).then(keeper.signOut),
    watch: (acc_nbr, options) => startWatch((page) => client.query(acc_nbr, page), options),
  }
  return client
}

function carrierOf(options: ClientOptions, platform: WxLike | undefined): Carrier {
  const { baseUrl, cloud, functionName, fetch: given = attempt(() => fetch) } = options
  if (cloud) return cloudCarrier(cloud, functionName)
  const baseOf = (route: Route): string => {
    const name = functionOf(route)
    const base = `${typeof baseUrl === 'object' ? baseUrl[name] : baseUrl}`
    if (/^https?:../.test(base)) return base.replace(/\/$/, '')
    throw new Error(`baseUrl ${base}`)
  }
  baseOf('GET /form')
  const httpOf = ({ route, query = {}, headers: header, body }: Request): HttpRequest => {
    const [method, path] = route.split(' ') as [HttpRequest['method'], string]
    const pairs = Object.entries(query).filter(([, value]) => value)
    const text = pairs
      .map(([name, value]) => `${name}=${encodeURIComponent(value as string)}`)
      .join('&')
    const url = baseOf(route) + path + (text && `?${text}`)
    return { url, method, header, data: body && JSON.stringify(body) }
  }
  return platform ? wxCarrier(platform, httpOf) : fetchCarrier(given as FetchLike, httpOf)
}
