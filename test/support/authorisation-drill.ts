/** Goes through who × route × whose data. A route without a row in `rows` fails it, so a new endpoint cannot be forgotten. */

import {
  type CallerKind,
  callers,
  living,
  logInAgain,
  type Person,
  type Row,
  rows,
  type Scene,
  type Target,
  targets,
} from './authorisation-rows.ts'
import type { WholeAnswer } from './drill-world.ts'

/** Where another's and what is not there must be the same bytes. An operator may tell them apart. */
const alike: ReadonlySet<string> = new Set([
  'POST /login/refresh',
  'DELETE /login/devices/{id}',
  'POST /login/user-data',
  'DELETE /login/me',
  'POST /query',
  'POST /query/summary',
])

export interface AuthorisationResult {
  cells: number
  /** Pairs of answers that had to be the same bytes. */
  compared: number
  /** `who route target: what is wrong`. */
  wrong: string[]
}

/** Goes through the whole matrix of the routes there are. */
export async function runAuthorisationDrill(
  scene: Scene,
  routes: readonly string[],
): Promise<AuthorisationResult> {
  const wrong: string[] = []
  let cells = 0
  let compared = 0
  for (const route of routes) {
    const row = rows[route]
    if (!row) {
      wrong.push(`${route}: has no row`)
      continue
    }
    await logInAgain(scene)
    for (const who of callers) {
      const answers = new Map<Target, WholeAnswer>()
      for (const target of targets) {
        cells++
        const { answer, fault } = await tryCell(scene, { route, row, who, target })
        if (fault) wrong.push(`${who} ${route} ${target}: ${fault}`)
        answers.set(target, answer)
      }
      const isToBeAlike = alike.has(route) && !(who === 'operator' && route.startsWith('POST /q'))
      if (!isToBeAlike) continue
      compared++
      if (answers.get('other')?.bytes !== answers.get('absent')?.bytes) {
        wrong.push(`${who} ${route}: another’s and what is not there can be told apart`)
      }
    }
  }
  return { cells, compared, wrong }
}

async function tryCell(
  scene: Scene,
  { route, row, who, target }: { route: string; row: Row; who: CallerKind; target: Target },
): Promise<{ answer: WholeAnswer; fault: string | false }> {
  const isLiving = (living as readonly string[]).includes(who)
  const cell = await row.cell(scene, isLiving ? (who as Person) : 'author', target)
  const [method, path] = route.split(' ')
  const token = isLiving
    ? (cell.token ?? scene.people[who as Person].token)
    : scene.tokens[who as keyof Scene['tokens']]
  const answer = await scene.world.call(`${method} ${cell.path ?? path}`, {
    token,
    body: cell.body,
  })
  if (row.auth === 'required' && !isLiving) {
    const code = who === 'none' ? 'not-logged-in' : 'unauthenticated'
    const isRefused = answer.status === 401 && answer.body?.code === code
    return { answer, fault: !isRefused && `${answer.status}, not ${code}` }
  }
  if (answer.status !== cell.status) {
    return { answer, fault: `${answer.status}, not ${cell.status}` }
  }
  return { answer, fault: (await cell.fault?.(answer)) ?? false }
}
