import { type Apps, createApps, type MiniProgram } from './apps.ts'
import type { SimulatedClock } from './clock.ts'
import { type Codes, createCodes } from './codes.ts'
import { type ContentWords, createContentWords } from './content-words.ts'
import { createRandom, type RandomBytes } from './random.ts'

/** Everything the simulated WeChat remembers; a reset is a new world. */
export interface World {
  apps: Apps
  clock: SimulatedClock
  random: RandomBytes
  codes: Codes
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

/** What a world begins with. */
export interface WorldOptions {
  app: MiniProgram
  otherApps?: readonly MiniProgram[] | undefined
  /** Makes codes, keys, tokens and ids the same each time. */
  seed?: string | undefined
  adoption?: Adoption | undefined
}

export function createWorld(
  clock: SimulatedClock,
  { app, otherApps = [], seed, adoption }: WorldOptions,
): World {
  const random = createRandom(seed)
  return {
    apps: createApps(app, otherApps, clock, random),
    clock,
    random,
    codes: createCodes(clock, random),
    words: createContentWords(),
    paidPhoneCalls: 0,
    adoption,
  }
}
