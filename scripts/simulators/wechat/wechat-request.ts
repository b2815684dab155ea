import { type KnownErrcode, refusedWith, type SimulatedAnswer } from './errcodes.ts'
import type { World } from './world.ts'

/** A request to one of WeChat's endpoints, read off the wire. */
export interface WeChatRequest {
  method: string
  path: string
  query: URLSearchParams
  bodyText: string
}

/** Thrown by an endpoint to answer an errcode; becomes an ordinary answer with HTTP status 200. */
export class Refused extends Error {
  readonly answer: SimulatedAnswer
  constructor(errcode: KnownErrcode) {
    super(`refused with ${errcode}`)
    this.answer = refusedWith(errcode)
  }
}

/** The query of a GET; 43001 for any other method. */
export function queryOfGet(request: WeChatRequest): Record<string, unknown> {
  if (request.method !== 'GET') throw new Refused(43001)
  return Object.fromEntries(request.query)
}

/** The JSON object in a POST body; 43002, 44002 or 47001 otherwise. */
export function postedObject(request: WeChatRequest): Record<string, unknown> {
  if (request.method !== 'POST') throw new Refused(43002)
  if (request.bodyText.trim() === '') throw new Refused(44002)
  const body = parsedObject(request.bodyText)
  if (!body) throw new Refused(47001)
  return body
}

/** The JSON object that a text stands for; undefined when it is none. */
export function parsedObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Members that must be texts with something in them; refused with the errcode of the first that is not. */
export function textsOf<Name extends string>(
  given: Record<string, unknown>,
  errcodes: Record<Name, KnownErrcode>,
): Record<Name, string> {
  const names = Object.keys(errcodes) as Name[]
  const texts = names.map((name): [Name, string] => {
    const value = given[name]
    if (typeof value !== 'string' || value === '') throw new Refused(errcodes[name])
    return [name, value]
  })
  return Object.fromEntries(texts) as Record<Name, string>
}

export const CREDENTIALS = { appid: 41002, secret: 41004 } as const

/** Refuses a call that does not show the mini program's own appid and secret. */
export function requireCredentials(
  world: World,
  given: Record<string, unknown>,
  grantType: 'authorization_code' | 'client_credential',
): void {
  const { appid, secret } = textsOf(given, CREDENTIALS)
  if (given.grant_type !== grantType) throw new Refused(40002)
  if (appid !== world.app.appid) throw new Refused(40013)
  if (secret !== world.app.secret) throw new Refused(40125)
}

/** Endpoints that need an access token take it from the query. */
export function requireToken(world: World, request: WeChatRequest): void {
  const errcode = world.tokens.problemWith(request.query.get('access_token'))
  if (errcode !== undefined) throw new Refused(errcode)
}
