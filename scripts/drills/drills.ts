/** The drills by letter. Each is a file `test/drills/<letter>-….test.ts`. */

import { readdirSync } from 'node:fs'
import path from 'node:path'
import { projectFolder } from '../build/bundle.ts'
import { CommandProblem } from '../cli/problem.ts'

export interface Drill {
  letter: string
  /** What is done to the system. */
  method: string
}

/** In the order of the table in `.github/SECURITY.md`. */
export const drills: readonly Drill[] = [
  { letter: 'A', method: 'submissions while the database is killed and connections break' },
  { letter: 'B', method: 'WeChat answers wrongly, late, or not at all' },
  { letter: 'C', method: 'one refresh token used many times at once' },
  { letter: 'D', method: 'mutated events of every platform into every function' },
  { letter: 'E', method: 'forged, confused and damaged tokens' },
  { letter: 'F', method: 'hostile texts through HTTP into the store and back' },
  { letter: 'G', method: 'deadlocks, held locks, a server killed while others wait' },
  { letter: 'H', method: 'instances whose clocks differ or jump' },
  { letter: 'I', method: 'an instance frozen while its connections die' },
  { letter: 'J', method: 'three times the requests that can be done' },
  { letter: 'K', method: 'migrations killed anywhere, the previous release beside them' },
  { letter: 'L', method: 'keys rotated under load' },
  { letter: 'M', method: 'malformed HTTP and JSON' },
  { letter: 'N', method: 'every caller on every route and every account' },
  { letter: 'O', method: 'planted secrets searched for in all that comes out' },
  { letter: 'P', method: 'accounts told apart by answer or time' },
  { letter: 'Q', method: 'slow patterns in every field' },
  { letter: 'R', method: 'limits under a burst over several instances' },
  { letter: 'S', method: 'forged encrypted data' },
  { letter: 'T', method: 'every call to database and WeChat failing in turn' },
  { letter: 'U', method: 'controls taken out of the code one by one' },
  { letter: 'V', method: 'people forgotten while their devices go on' },
  { letter: 'W', method: 'summaries of an account of which nothing is folded' },
  { letter: 'X', method: 'a thousand instances on one server' },
]

export const drillTests: string = path.join(projectFolder, 'test/drills')

/** The tests of a drill, from the project's folder; none where it is not written. */
export function testsOf({ letter }: Drill): string[] {
  return readdirSync(drillTests)
    .filter((file) => file.startsWith(`${letter.toLowerCase()}-`) && file.endsWith('.test.ts'))
    .map((file) => path.relative(projectFolder, path.join(drillTests, file)))
}

/** The drills of these letters, or all there are. @throws {CommandProblem} with the list for a letter that is none */
export function chooseDrills(letters: readonly string[]): Drill[] {
  const there = drills.filter((drill) => testsOf(drill).length > 0)
  const chosen = new Set(letters.map((letter) => letter.toUpperCase()))
  const unknown = [...chosen].filter((letter) => !there.some((drill) => drill.letter === letter))
  if (unknown.length > 0) {
    throw new CommandProblem(
      `There is no drill ${unknown.join(', ')}. There are:\n${listOf(there)}`,
    )
  }
  return there.filter(({ letter }) => chosen.size === 0 || chosen.has(letter))
}

/** A line for each. */
export function listOf(some: readonly Drill[]): string {
  return some.map(({ letter, method }) => `  ${letter}  ${method}`).join('\n')
}
