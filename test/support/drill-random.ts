/** Chance that can be repeated: the same seed gives the same drill. */

export interface Chance {
  readonly seed: number
  /** From 0 up to 1. */
  next(): number
  /** A whole number from 0 up to `below`. */
  below(below: number): number
  pick<T>(from: readonly T[]): T
}

/** `DRILL_SEED` repeats a drill; otherwise the seed is new with every run, and is printed among the figures. */
export function drillSeed(): number {
  return Number(process.env.DRILL_SEED ?? Date.now() % 2 ** 32)
}

/** Mulberry32, which is plenty for choosing among mutations. */
export function seededChance(seed: number): Chance {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    seed,
    next,
    below,
    pick<T>(from: readonly T[]): T {
      return from[below(from.length)] as T
    },
  }
}
