import type { SimulatedClock } from './clock.ts'
import { createQuotas, type Quotas } from './quotas.ts'
import type { RandomBytes } from './random.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'
import { type AccessTokens, createAccessTokens } from './tokens.ts'
import { createUsers, type Users } from './users.ts'

/** A mini program the simulator is to know. */
export interface MiniProgram {
  appid: string
  secret: string
}

/** Whether a mini program may call at all. */
export const APP_STATES = ['active', 'secret-frozen', 'account-frozen'] as const
export type AppState = (typeof APP_STATES)[number]

/** A mini program and all that is its own: an openid is a person in one mini program, a token is of one. */
export interface SimulatedApp extends MiniProgram {
  state: AppState
  /** Addresses that may ask for an access token; any when empty. */
  ipList: readonly string[]
  /** Pages that mini program codes may lead to; any when empty. */
  pages: readonly string[]
  users: Users
  tokens: AccessTokens
  quotas: Quotas
  subscriptions: Subscriptions
  /** When phone data was encrypted, by the SHA-256 of its base64 text. */
  encryptedAtMs: Map<string, number>
}

export type Apps = ReturnType<typeof createApps>

/** `first` is the mini program that orders mean when they name none. */
export function createApps(
  first: MiniProgram,
  others: readonly MiniProgram[],
  clock: SimulatedClock,
  random: RandomBytes,
) {
  const byAppid = new Map<string, SimulatedApp>()
  function add({ appid, secret }: MiniProgram): SimulatedApp {
    const app: SimulatedApp = {
      appid,
      secret,
      state: 'active',
      ipList: [],
      pages: [],
      users: createUsers(clock, random),
      tokens: createAccessTokens(clock, random),
      quotas: createQuotas(clock),
      subscriptions: createSubscriptions(),
      encryptedAtMs: new Map(),
    }
    byAppid.set(appid, app)
    return app
  }
  const main = add(first)
  for (const other of others) add(other)
  return {
    first: main,
    add,
    find: (appid: string): SimulatedApp | undefined => byAppid.get(appid),
    all: (): SimulatedApp[] => [...byAppid.values()],
    /** Whose people and keys an order is about: the mini program it names, the first one for an appid nobody registered. */
    of: (appid: string | undefined): SimulatedApp => byAppid.get(appid ?? '') ?? main,
    /** Whose token this is, dead ones included; undefined when it was never issued. */
    ofToken: (token: string): SimulatedApp | undefined =>
      [...byAppid.values()].find(({ tokens }) => tokens.wasIssued(token)),
  }
}
