/** Work that answers leave to be done when they were given, one piece at a time. */
export interface AfterAnswers {
  /** Does it soon, or never: nobody may count on it. */
  add(work: () => Promise<void>): void
  /** Resolves when what is being done is done; what waits is let go. */
  end(): Promise<void>
}

/** What is more is let go: the next call that counts an account leaves the same again. */
const WAITING_MAX = 50

/** One at a time, so that it takes at most one of the store's connections from those who wait for an answer. */
export function createAfterAnswers(): AfterAnswers {
  let waiting: (() => Promise<void>)[] = []
  let working: Promise<void> | undefined
  const workOff = async (): Promise<void> => {
    for (let work = waiting.shift(); work; work = waiting.shift()) {
      // Nobody waits for it, and whoever needs it sees that it was not done.
      await work().catch(() => {})
    }
    working = undefined
  }
  return {
    add(work) {
      if (waiting.length < WAITING_MAX) waiting.push(work)
      working ??= workOff()
    },
    async end() {
      waiting = []
      await working
    },
  }
}
