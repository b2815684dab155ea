/**
 * Forgetting people. Their leaving is noted first, which ends all sessions; then everything goes. A call that had seen
 * a session alive may still write a rating, and a login under way a session or a claim: no order of deletions catches
 * these, so everything is looked at once more when the longest call is over, and only then the note goes as well.
 */

import type { Forgetting, PersonStore, RatingEraser } from '../ports.ts'

/** Longer than any call may take and two clocks may differ. */
export const SECOND_LOOK_DELAY_MS = 2 * 60 * 1000
/** What a call that forgets keeps for its own answer, a transaction under way included. */
const RESERVE_MS = 4000
/** How often an instance finishes what was begun, beside its other work, and for how long. */
const FINISH_EVERY_MS = 60_000
const FINISH_BUDGET_MS = 300

/** What forgetting takes. */
export interface ForgettingOptions {
  people: Pick<PersonStore, 'leave' | 'erase' | 'whoLeft' | 'eraseLast'>
  ratings: RatingEraser
  /** What becomes of the ratings. */
  forgottenRatings: 'delete' | 'keep-anonymous'
  now: () => number
  steadyMs: () => number
  /** When this instance last finished what was begun. */
  lastFinish: { atMs: number }
}

/** Forgetting over the stores of people and ratings. */
export function createForgetting(options: ForgettingOptions): Forgetting {
  const { people, ratings, forgottenRatings, now, steadyMs, lastFinish } = options

  const look = async (userId: string, isEnough: () => boolean): Promise<boolean> => {
    await people.erase(userId)
    return ratings.forgetAuthor(userId, forgottenRatings, isEnough)
  }
  const finish = async (isEnough: () => boolean = () => false): Promise<number> => {
    let finished = 0
    while (!isEnough()) {
      const userId = await people.whoLeft(now() - SECOND_LOOK_DELAY_MS)
      if (userId === undefined || !(await look(userId, isEnough))) break
      await people.eraseLast(userId)
      finished++
    }
    return finished
  }

  return {
    async forget(userId, remainingMs) {
      await people.leave(userId, now())
      // The person is gone by now, and cannot ask again: what fails is finished later.
      return look(userId, () => remainingMs() < RESERVE_MS).catch(() => false)
    },

    finish,

    async finishSome() {
      const atMs = now()
      if (atMs - lastFinish.atMs < FINISH_EVERY_MS) return
      lastFinish.atMs = atMs
      const startedAt = steadyMs()
      await finish(() => steadyMs() - startedAt > FINISH_BUDGET_MS).catch(() => {})
    },
  }
}
