/** What calls of a function cost on the platform's price list: an estimate, not a bill. */

/**
 * US dollars, pay as you go, mainland regions: https://www.tencentcloud.com/document/product/583/12281. Time is billed by
 * the millisecond and the memory a function may use: https://www.tencentcloud.com/document/product/583/12284.
 */
const PRICES = {
  gigabyteSecond: 0.0000167,
  invocation: 0.002 / 10_000,
  /** Of answers through a function URL. */
  gigabyteOut: 0.12,
}

export interface BilledCall {
  /** From the event to the answer; a part of a millisecond counts as one. */
  durationMs: number
  memorySizeMb: number
  answerBytes: number
}

export interface Cost {
  compute: number
  invocations: number
  traffic: number
  total: number
}

/** US dollars of `calls` warm calls, the free tier left out, and the database, logs and the fee of the basic package beside it. */
export function costOf(calls: number, { durationMs, memorySizeMb, answerBytes }: BilledCall): Cost {
  const gigabyteSeconds = (calls * Math.ceil(durationMs) * memorySizeMb) / 1000 / 1024
  const compute = gigabyteSeconds * PRICES.gigabyteSecond
  const invocations = calls * PRICES.invocation
  const traffic = ((calls * answerBytes) / 2 ** 30) * PRICES.gigabyteOut
  return { compute, invocations, traffic, total: compute + invocations + traffic }
}
