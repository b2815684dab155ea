/** New ratings of an account as they come, by asking: often while something happens, more and more seldom while nothing does. */

import type { ClientError } from './client-error.ts'
import type { AccountPage, Rating } from './contract.ts'
import { SLOWDOWN, SLOWDOWN_MAX } from './limits.ts'

/** What a watcher is told. */
export interface WatchOptions {
  /** New ratings, newest first; each is told once. */
  onRatings(ratings: Rating[]): void
  /** A try failed. It is tried again later, unless `retry` is `never` or `login`: then watching has ended. */
  onError?(error: ClientError): void
  /** `since` of a page that was read already; without it the newest page comes first. */
  since?: string | null
  /** Milliseconds between two questions while something happens; 5,000 unless given. */
  intervalMs?: number
}

/** A watch under way. */
export interface Watch {
  /** For a page's `onHide`, which also tells of the app's going to the background, and for its `onUnload`. */
  pause(): void
  /** For a page's `onShow`; asks at once. */
  resume(): void
}

/** Watches by `read`, which is `query` of one account. */
export function startWatch(
  read: (page: { since: string | null; cursor: string | null }) => Promise<AccountPage>,
  { onRatings, onError, since = null, intervalMs = 5000 }: WatchOptions,
): Watch {
  /** Where the answer before the last one ended: of two instances' ratings the later one may have the earlier id. */
  let from = since
  let latest = since
  /** Ids of the last answer: the next one holds no others that were told already. */
  let told: string[] = []
  let slowdown = 1
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Grows when looking stops or starts, so that what was asked before is not told any more. */
  let round = 0

  async function ask(own: number): Promise<void> {
    let page = await read({ since: from, cursor: null })
    const ratings = [...page.items]
    const reached = page.since
    // Without a mark one page is enough: it is where watching starts.
    while (from && page.next) {
      page = await read({ since: from, cursor: page.next })
      ratings.push(...page.items)
    }
    if (own !== round) return
    from = latest || reached
    latest = reached
    const fresh = ratings.filter(({ id }) => !told.includes(id))
    told = ratings.map(({ id }) => id)
    slowdown = fresh.length ? 1 : slowdown * SLOWDOWN
    if (fresh.length) onRatings(fresh)
  }

  function look(): void {
    const own = round
    const lookAgain = (): void => {
      slowdown = Math.min(slowdown, SLOWDOWN_MAX)
      // Up to twice the interval, so that the phones in a room do not ask together.
      if (own === round) timer = setTimeout(look, intervalMs * slowdown * (1 + Math.random()))
    }
    ask(own).then(lookAgain, (error: ClientError) => {
      if (own !== round) return
      slowdown = SLOWDOWN_MAX
      if (error.retry === 'later') lookAgain()
      if (onError) onError(error)
    })
  }

  function turn(): void {
    clearTimeout(timer)
    round++
    slowdown = 1
  }

  look()
  return {
    pause: turn,
    resume() {
      turn()
      look()
    },
  }
}
