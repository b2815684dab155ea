import { type KnownErrcode, refusal, type WeChatAnswer } from './errcodes.ts'

/** A request to one of WeChat's endpoints, read off the wire. */
export interface WeChatRequest {
  method: string
  path: string
  query: URLSearchParams
  bodyText: string
}

/** Thrown by an endpoint to answer an errcode; becomes an ordinary answer with HTTP status 200. */
export class Refused extends Error {
  readonly answer: WeChatAnswer
  constructor(errcode: KnownErrcode) {
    super(`refused with ${errcode}`)
    this.answer = refusal(errcode)
  }
}

/** The JSON object in a POST body; 43002, 44002 or 47001 otherwise. */
export function postedObject(request: WeChatRequest): Record<string, unknown> {
  if (request.method !== 'POST') throw new Refused(43002)
  if (request.bodyText.trim() === '') throw new Refused(44002)
  let body: unknown
  try {
    body = JSON.parse(request.bodyText)
  } catch {
    throw new Refused(47001)
  }
  if (!isObject(body)) throw new Refused(47001)
  return body
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member when it is a text with something in it. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
