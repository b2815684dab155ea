/** Something the person at the keyboard can put right: shown as its sentences, without a stack, and exit code 1. */
export class CommandProblem extends Error {
  override readonly name: string = 'CommandProblem'
}
