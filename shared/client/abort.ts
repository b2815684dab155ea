/** Aborting where there is no AbortController: mini programs have none. A browser's own signal fits as well. */

import { ClientError } from './client-error.ts'

/** What is used of an `AbortSignal`. */
export interface AbortSignalLike {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** A signal, and what sets it off. */
export interface Abort {
  signal: AbortSignalLike
  abort(): void
}

/** A signal for mini programs: `const leaving = createAbort()`, `{ signal: leaving.signal }`, `leaving.abort()`. */
export function createAbort(): Abort {
  const listeners = new Set<() => void>()
  const signal = {
    aborted: false,
    addEventListener: (_type: 'abort', listener: () => void) => void listeners.add(listener),
    removeEventListener: (_type: 'abort', listener: () => void) => void listeners.delete(listener),
  }
  return {
    signal,
    abort() {
      signal.aborted = true
      for (const listener of listeners) listener()
    },
  }
}

/** Waits for work until the signal is set off; whether the work then ends is its own affair. */
export function unlessAborted<T>(
  signal: AbortSignalLike | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!signal) return work()
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new ClientError('aborted', '已取消', 'never'))
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    work()
      .then(resolve, reject)
      .then(() => signal.removeEventListener('abort', onAbort))
  })
}
