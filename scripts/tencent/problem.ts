/** What a deployment's commands cannot go on with. */
import { CommandProblem } from '../cli/problem.ts'

export class DeployProblem extends CommandProblem {
  override readonly name = 'DeployProblem'
}

/** One problem out of several sentences. */
export function problemList(heading: string, sentences: readonly string[]): DeployProblem {
  return new DeployProblem([heading, ...sentences.map((sentence) => `  - ${sentence}`)].join('\n'))
}
