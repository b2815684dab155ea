/** Something the person at the keyboard can put right: shown as its sentences, without a stack, and exit code 1. */
export class CommandProblem extends Error {
  override readonly name = 'CommandProblem'
}

/** One problem out of several sentences. */
export function problemList(heading: string, sentences: readonly string[]): CommandProblem {
  return new CommandProblem([heading, ...sentences.map((sentence) => `  - ${sentence}`)].join('\n'))
}
