/** What has to be undone at the end, whatever happens in between. */

type Closer = () => unknown

/** Hands over something to be undone at the end. */
export type Defer = (closer: Closer) => void

/** Runs `work` and then, in reverse order, everything it gave to `defer`. */
export async function withClosers<Result>(
  work: (defer: Defer) => Promise<Result>,
): Promise<Result> {
  const closers: Closer[] = []
  unfinished.add(closers)
  try {
    return await work((closer) => closers.push(closer))
  } finally {
    await closeAll(closers)
    unfinished.delete(closers)
  }
}

const unfinished = new Set<Closer[]>()

/** For a signal: closes what is open everywhere. */
export async function closeUnfinished(): Promise<void> {
  for (const closers of unfinished) await closeAll(closers)
}

/** One that fails does not keep the others from being closed. @throws the first error, at the end */
async function closeAll(closers: Closer[]): Promise<void> {
  const errors: unknown[] = []
  for (const closer of closers.splice(0).reverse()) {
    try {
      await closer()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

/** Resolves when somebody ends the command, by Ctrl-C for one. */
export function interruption(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
