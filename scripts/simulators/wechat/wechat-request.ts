import type { SimulatedApp } from './apps.ts'
import type { KnownErrcode } from './errcodes.ts'
import type { User } from './users.ts'
import type { World } from './world.ts'

/** Texts and risks are judged for a user seen within the last two hours; otherwise 61010. */
const VISIT_LIFETIME_MS = 2 * 3600_000

/** A request to one of WeChat's endpoints, read off the wire. */
export interface WeChatRequest {
  method: string
  path: string
  query: URLSearchParams
  bodyText: string
  /** Where it came from: what an address list is held against. */
  clientIp: string
}

/** Thrown by an endpoint to answer an errcode; becomes an ordinary answer with HTTP status 200. */
export class Refused extends Error {
  readonly errcode: KnownErrcode
  /** Instead of WeChat's usual words for that errcode. */
  readonly errmsg: string | undefined
  constructor(errcode: KnownErrcode, errmsg?: string) {
    super(`refused with ${errcode}`)
    this.errcode = errcode
    this.errmsg = errmsg
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

/** The mini program whose appid and secret a call shows; refuses any that shows others. */
export function requireCredentials(
  world: World,
  request: WeChatRequest,
  given: Record<string, unknown>,
  grantType: 'authorization_code' | 'client_credential',
): SimulatedApp {
  const { appid, secret } = textsOf(given, CREDENTIALS)
  if (given.grant_type !== grantType) throw new Refused(40002)
  const app = world.apps.find(appid)
  if (!app) throw new Refused(40013)
  if (app.state === 'secret-frozen') throw new Refused(40243)
  if (secret !== app.secret) throw new Refused(40125)
  requireAccess(app, request)
  return app
}

/** The mini program whose access token a call shows in its query; refuses a token that is none, or dead. */
export function requireToken(world: World, request: WeChatRequest): SimulatedApp {
  const token = request.query.get('access_token')
  const app = world.apps.ofToken(token ?? '') ?? world.apps.first
  const errcode = app.tokens.problemWith(token)
  if (errcode !== undefined) throw new Refused(errcode)
  requireAccess(app, request)
  return app
}

function requireAccess(app: SimulatedApp, { path }: WeChatRequest): void {
  if (app.state === 'account-frozen') throw new Refused(50007)
  const errcode = app.quotas.count(path)
  if (errcode !== undefined) throw new Refused(errcode)
}

/** The user of that mini program who was seen within the last two hours: 40003, 43104 or 61010 otherwise. */
export function requireRecentVisitor(world: World, app: SimulatedApp, openid: string): User {
  const user = app.users.find(openid)
  if (!user) {
    const isElsewhere = world.apps.all().some(({ users }) => users.find(openid))
    throw new Refused(isElsewhere ? 43104 : 40003)
  }
  const { lastCodeAtMs } = user
  if (lastCodeAtMs === undefined || world.clock.now() - lastCodeAtMs > VISIT_LIFETIME_MS) {
    throw new Refused(61010)
  }
  return user
}
