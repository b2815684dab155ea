/** First come, first served; whoever waits longer than `waitMs` is turned away. */
export class ExclusiveLock {
  #holder: object | undefined
  readonly #waiting: { owner: object; take: () => void }[] = []

  isHeldBy(owner: object): boolean {
    return this.#holder === owner
  }

  /** Resolves to false when the lock was not free within `waitMs`. */
  acquire(owner: object, waitMs: number): Promise<boolean> {
    if (this.#holder === undefined) {
      this.#holder = owner
      return Promise.resolve(true)
    }
    return new Promise((resolve) => {
      const entry = {
        owner,
        take: () => {
          clearTimeout(timer)
          resolve(true)
        },
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1)
        resolve(false)
      }, waitMs)
      this.#waiting.push(entry)
    })
  }

  /** Does nothing when `owner` does not hold the lock. */
  release(owner: object): void {
    if (this.#holder !== owner) return
    const next = this.#waiting.shift()
    this.#holder = next?.owner
    next?.take()
  }
}
