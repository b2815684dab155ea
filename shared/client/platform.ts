/** The parts of a platform that are used: `wx`, whatever has its shape (Taro, uni-app), or nothing but `fetch`. */

import { sha256 } from './sha256.ts'

/** What a fail callback is given. */
export interface WxFailure {
  errMsg?: string
}

/** What is used of `wx`. Only `request` must be there. */
export interface WxLike {
  request(options: {
    url: string
    method: 'GET' | 'POST' | 'DELETE'
    header: Record<string, string>
    data: string | undefined
    dataType: string
    timeout: number
    success(answer: { statusCode: number; data?: unknown; header?: Record<string, unknown> }): void
    fail(failure: WxFailure): void
  }): unknown
  login?(options: {
    success(result: { code: string }): void
    fail(failure: WxFailure): void
  }): unknown
  getStorageSync?(key: string): unknown
  setStorageSync?(key: string, value: string): void
  getAccountInfoSync?(): { miniProgram: { appId?: string; envVersion?: string } }
  getDeviceInfo?(): { model?: string }
  getRandomValues?(options: {
    length: number
    success(result: { randomValues: ArrayBuffer }): void
    fail(failure: WxFailure): void
  }): unknown
}

/** What is used of `wx.cloud`, or of a `new wx.cloud.Cloud(…)`. */
export interface CloudLike {
  callFunction(options: { name: string; data: object }): Promise<{ result?: unknown }>
}

/** What is used of `fetch`. */
export type FetchLike = (
  url: string,
  options: {
    method: string
    headers: Record<string, string>
    // biome-ignore lint/suspicious/noExplicitAny: whatever a platform calls a body and a signal
    body: any
    // biome-ignore lint/suspicious/noExplicitAny: as above
    signal: any
  },
) => Promise<{
  status: number
  headers: { get(name: string): string | null }
  text(): Promise<string>
}>

/** What a platform may lack or refuse: `undefined` then. */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

/** Taro and uni-app return a promise beside calling back; one that rejects unheard is reported as an error of the app. */
export function ignorePromise(returned: unknown): void {
  attempt(() => (returned as Promise<unknown>).then(null, () => {}))
}

/** JSON by name, in a storage that may be missing, full or refuse. */
export interface Keep {
  read(name: string): unknown
  write(name: string, value: unknown): void
}

/** What is kept under a prefix in the mini program's storage. */
export function createKeep(prefix: string, wx: Required<WxLike>): Keep {
  return {
    read: (name) => attempt(() => JSON.parse(wx.getStorageSync(prefix + name) as string)),
    write: (name, value) => attempt(() => wx.setStorageSync(prefix + name, JSON.stringify(value))),
  }
}

/** 43 characters that nobody can guess, from the best source there is. */
export async function randomSecret(wx: Required<WxLike>): Promise<string> {
  const strong = await new Promise((resolve) => {
    const hasAsked = attempt(() => {
      wx.getRandomValues({
        length: 32,
        success: ({ randomValues }) => resolve(new Uint8Array(randomValues)),
        fail: resolve,
      })
      return true
    })
    if (!hasAsked) resolve(attempt(() => crypto.getRandomValues(new Uint8Array(32))))
  })
  // Where there is no better source, what `Math.random` has must do.
  return sha256(strong + Array.from({ length: 9 }, Math.random).join())
}
