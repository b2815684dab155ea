/** Something the person at the keyboard can put right; shown as its sentences, without a stack, and exit code 1. */
export class DeployProblem extends Error {
  override readonly name = 'DeployProblem'
}

/** One problem out of several sentences. */
export function problemList(heading: string, sentences: readonly string[]): DeployProblem {
  return new DeployProblem([heading, ...sentences.map((sentence) => `  - ${sentence}`)].join('\n'))
}
