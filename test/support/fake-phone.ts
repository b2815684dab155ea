/**
 * A phone with WeChat in it, as far as a client needs one: `wx` with its limits and its words, a storage that outlives
 * the app, and JavaScript without anything of a browser or of Node.
 */

import vm from 'node:vm'
import type { WxFailure, WxLike } from '../../shared/client/platform.ts'

type RequestOptions = Parameters<WxLike['request']>[0]

/** A request handed to `wx.request`. */
export interface SentRequest {
  method: string
  path: string
  header: Record<string, string>
  data: string | undefined
}

/** What happens to a request instead of being sent and answered. */
export type Fault =
  | { kind: 'unreachable' }
  /** The server answers and the phone never hears it. */
  | { kind: 'lost-answer' }
  | { kind: 'held'; until: Promise<void> }
  | { kind: 'answer'; statusCode: number; data: string; header?: Record<string, string> }

export interface FakePhone {
  wx: Required<WxLike>
  /** All requests so far, `path` without the base URL. */
  requests: SentRequest[]
  /** Of one route, `POST /score`. */
  sent(route: string): SentRequest[]
  logins(): number
  /** The most requests that were under way at once. */
  peak(): number
  aborted(): number
  storage: Map<string, string>
  /** Decides on every request; sent as it is when it returns nothing. */
  fault: (request: SentRequest) => Fault | undefined
  /** Runs a CommonJS bundle as the app does at its start, and gives what it exports. */
  open<Exports>(source: string): Exports
}

/** WeChat's own words. https://developers.weixin.qq.com/miniprogram/dev/framework/ability/network.html */
const CONCURRENT_MAX = 10
const STORED_VALUE_MAX = 1024 * 1024

/** A phone whose owner gets login codes from `issueCode`. */
export function createFakePhone({
  issueCode,
  appId = 'wxfakephone',
  envVersion = 'develop',
}: {
  issueCode: () => Promise<string>
  appId?: string
  envVersion?: string
}): FakePhone {
  let logins = 0
  let underWay = 0
  let peak = 0
  let aborted = 0
  const storage = new Map<string, string>()

  function request(options: RequestOptions): { abort(): void } {
    const { url, method, header, data, success, fail } = options
    if (typeof url !== 'string' || !/^https?:\/\//.test(url)) throw new Error('invalid url')
    if (!['GET', 'POST', 'DELETE'].includes(method)) throw new Error(`invalid method ${method}`)
    if (data !== undefined && typeof data !== 'string') throw new Error('data is not as it was')
    for (const value of Object.values(header)) {
      if (typeof value !== 'string') throw new Error('a header is not a string')
    }
    const { pathname, search } = new URL(url)
    const sent = { method, path: pathname + search, header, data }
    phone.requests.push(sent)
    underWay++
    peak = Math.max(peak, underWay)

    let isOver = false
    const finish = (end: () => void): void => {
      if (isOver) return
      isOver = true
      underWay--
      end()
    }
    const failWith = (errMsg: string) => finish(() => fail({ errMsg } satisfies WxFailure))
    if (underWay > CONCURRENT_MAX) setTimeout(failWith, 0, 'request:fail exceed max task count')
    else {
      play(sent, url).then(
        (answer) =>
          answer === undefined ? failWith('request:fail timeout') : finish(() => success(answer)),
        () =>
          failWith('request:fail errcode:-102 cronet_error_code:-102 error_msg:net::ERR_FAILED'),
      )
    }
    return {
      abort() {
        if (!isOver) aborted++
        failWith('request:fail abort')
      },
    }
  }

  async function play(sent: SentRequest, url: string) {
    const fault = phone.fault(sent)
    if (fault?.kind === 'unreachable') throw new Error('unreachable')
    if (fault?.kind === 'answer') return { header: {}, ...fault }
    const answer = await fetch(url, {
      method: sent.method,
      headers: sent.header,
      ...(sent.data === undefined ? {} : { body: sent.data }),
    })
    const data = await answer.text()
    if (fault?.kind === 'lost-answer') return undefined
    if (fault?.kind === 'held') await fault.until
    // As one platform spells them; others do not.
    const header = Object.fromEntries(
      [...answer.headers].map(([name, value]) => [
        name.replace(/\b[a-z]/g, (c) => c.toUpperCase()),
        value,
      ]),
    )
    return { statusCode: answer.status, data, header }
  }

  const wx: Required<WxLike> = {
    request,
    login({ success, fail }) {
      logins++
      issueCode().then(
        (code) => success({ code }),
        () => fail({ errMsg: 'login:fail net::ERR_INTERNET_DISCONNECTED' }),
      )
    },
    getStorageSync: (key) => storage.get(key) ?? '',
    setStorageSync(key, value) {
      if (value.length > STORED_VALUE_MAX)
        throw new Error('setStorageSync:fail data exceed max size')
      storage.set(key, value)
    },
    getAccountInfoSync: () => ({ miniProgram: { appId, envVersion } }),
    getDeviceInfo: () => ({ model: 'Mate 60' }),
    getRandomValues({ length, success }) {
      const randomValues = crypto.getRandomValues(new Uint8Array(length)).buffer as ArrayBuffer
      setTimeout(success, 0, { randomValues })
    },
  }

  const phone: FakePhone = {
    wx,
    requests: [],
    sent: (route) => phone.requests.filter(({ method, path }) => `${method} ${path}` === route),
    logins: () => logins,
    peak: () => peak,
    aborted: () => aborted,
    storage,
    fault: () => undefined,
    open(source) {
      const module = { exports: {} }
      const globals = { wx, module, exports: module.exports, setTimeout, clearTimeout, console }
      vm.runInNewContext(source, globals)
      return module.exports as never
    },
  }
  return phone
}
