/** Medians: one slow round on a busy machine does not move them. */

/** The middle value, the mean of the two middle ones of an even number. @throws {Error} without values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted[Math.floor(sorted.length / 2)]
  const below = sorted[Math.floor((sorted.length - 1) / 2)]
  if (middle === undefined || below === undefined) throw new Error('nothing was measured')
  return (below + middle) / 2
}

/**
 * The median of the ratios round by round: what slows a whole round down (a neighbour on the machine)
 * is in both numbers and cancels out.
 */
export function medianRatio(values: readonly number[], bases: readonly number[]): number {
  return median(values.map((value, round) => value / (bases[round] ?? Number.NaN)))
}
