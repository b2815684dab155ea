import { writeSync } from 'node:fs'

/** Writes what `work` gives as JSON to file descriptor 3 and ends the process: 0, or 1 with the error on stderr. */
export function report(work: () => Promise<unknown>): void {
  work().then(
    (result) => {
      writeSync(3, JSON.stringify(result))
      process.exit(0)
    },
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
}
