import type { SimulatedClock } from './clock.ts'
import { type Codes, createCodes } from './codes.ts'
import { type ContentWords, createContentWords } from './content-words.ts'
import { type AccessTokens, createAccessTokens } from './tokens.ts'
import { createUsers, type Users } from './users.ts'

/** The mini program the simulator knows. */
export interface MiniProgram {
  appid: string
  secret: string
}

/** Everything the simulated WeChat remembers; a reset is a new world. */
export interface World {
  app: MiniProgram
  clock: SimulatedClock
  users: Users
  codes: Codes
  tokens: AccessTokens
  words: ContentWords
  /** Phone numbers handed out: each would have cost money. */
  paidPhoneCalls: number
  /** Whose the codes from elsewhere are; absent when unknown codes are refused. */
  adoption: Adoption | undefined
}

export interface Adoption {
  openid: string
  /** Told of each code that was adopted. */
  onAdopted: (openid: string) => void
}

export function createWorld(app: MiniProgram, clock: SimulatedClock, adoption?: Adoption): World {
  return {
    app,
    clock,
    users: createUsers(clock),
    codes: createCodes(clock),
    tokens: createAccessTokens(clock),
    words: createContentWords(),
    paidPhoneCalls: 0,
    adoption,
  }
}
