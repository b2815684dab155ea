/** Questions to the person at the terminal. */

import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/**
 * Asks until `complaint` finds nothing wrong with the answer. What is secret is not shown while it is typed.
 * @returns the answer, trimmed
 */
export async function ask(
  question: string,
  { isSecret, complaint }: { isSecret: boolean; complaint: (answer: string) => string | undefined },
): Promise<string> {
  for (;;) {
    process.stderr.write(`${question} `)
    const output = isSecret
      ? new Writable({ write: (_chunk, _encoding, done) => done() })
      : process.stderr
    const terminal = createInterface({ input: process.stdin, output, terminal: true })
    const answer = (await terminal.question('')).trim()
    terminal.close()
    if (isSecret) process.stderr.write('\n')
    const wrong = complaint(answer)
    if (wrong === undefined) return answer
    process.stderr.write(`${wrong}\n`)
  }
}
