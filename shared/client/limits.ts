/** Every limit of the client. */

/** WeChat has ten requests under way at once, and lets the eleventh wait or fail. */
export const CONCURRENT_MAX = 10
/** Times that a request is sent before its failure is told. */
export const TRIES_MAX = 3
/** A longer wait is for a person to decide on; the error says how long. */
export const RETRY_WAIT_MAX_MS = 10_000
/** Share of a token's life after which it is refreshed; clocks need not agree to the second. */
export const STALE_AFTER = 0.9
/** After a day the same rating again is meant as a second one. */
export const UNANSWERED_KEPT_MS = 86_400_000
/** Each look at an account that shows nothing new makes the time to the next one longer by so much … */
export const SLOWDOWN = 1.3
/** … up to so many times the usual interval. */
export const SLOWDOWN_MAX = 12
