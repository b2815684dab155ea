/**
 * Cold starts: a fresh process until its first answer, against a handler that does nothing through the
 * same boot. All contestants take their turn in every round; ratios are taken round by round.
 */

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { StoreDoor } from '../../shared/store/doors.ts'
import {
  type BackEnd,
  bundleOf,
  jsonEvent,
  ratingOf,
  readAccount,
  startBackEnd,
  writeNoOp,
} from './back-end.ts'
import { withClosers } from './closers.ts'
import { atMost, type Benchmark, type Budget, type Figure, withoutMariaDb } from './figure.ts'
import { leaveMeasuredCore } from './machine.ts'
import { median, medianRatio } from './median.ts'
import { compileProgram } from './programs.ts'
import { type Stopwatch, startStopwatch } from './stopwatch.ts'

const ROUNDS_DEFAULT = 15

interface Contestant {
  what: string
  functionName: string
  storeDoor: StoreDoor
  budget: Budget
  status: number
  /** Made anew for every start. */
  event: (backEnd: BackEnd) => Record<string, unknown>
}

function forged(token: string): string {
  return `${token.slice(0, -8)}${'A'.repeat(8)}`
}

function submit({ token }: BackEnd) {
  return jsonEvent('POST /score', ratingOf('13900139000'), token)
}
function query({ token }: BackEnd) {
  return jsonEvent('POST /query', { acc_nbr: readAccount }, token)
}
function forgery({ token }: BackEnd) {
  return jsonEvent('POST /score', ratingOf('13900139000'), forged(token))
}
function nonsense({ token }: BackEnd) {
  return jsonEvent('POST /score', { ...ratingOf('13900139000'), grade1: 9 }, token)
}
function logIn({ issueCode }: BackEnd) {
  return jsonEvent('POST /login', { code: issueCode() })
}

const FIRST_WRITE = atMost(2.8, 2)
const REFUSAL = atMost(1.5, 1.25)
const LOGIN = atMost(3, 2)

const contestants: readonly Contestant[] = [
  ...(['mysql', 'planetscale'] as const).flatMap((storeDoor): Contestant[] => {
    const by = storeDoor === 'mysql' ? 'MySQL' : 'PlanetScale over TLS'
    const submitScore = { functionName: 'submit-score', storeDoor }
    return [
      {
        ...submitScore,
        what: `first submit, ${by}`,
        budget: FIRST_WRITE,
        status: 201,
        event: submit,
      },
      {
        functionName: 'query-scores',
        storeDoor,
        what: `first query, ${by}`,
        budget: FIRST_WRITE,
        status: 200,
        event: query,
      },
      {
        ...submitScore,
        what: `401 (forged token), ${by}`,
        budget: REFUSAL,
        status: 401,
        event: forgery,
      },
      {
        ...submitScore,
        what: `400 (grade of 9), ${by}`,
        budget: REFUSAL,
        status: 400,
        event: nonsense,
      },
      {
        functionName: 'login',
        storeDoor,
        what: `first login over TLS, ${by}`,
        budget: LOGIN,
        status: 200,
        event: logIn,
      },
    ]
  }),
]

/** First answers as multiples of a no-op's. */
export const cold: Benchmark = ({ rounds = ROUNDS_DEFAULT, progress }) =>
  withClosers(async (defer) => {
    defer(leaveMeasuredCore())
    const backEnd = await startBackEnd(defer)
    const stopwatch = await startStopwatch(backEnd.folder)
    defer(() => stopwatch.close())
    const boot = await compileProgram('first-answer', backEnd.folder)
    const noOpFile = await writeNoOp(backEnd.folder)
    const measure = starter(stopwatch, backEnd, boot)

    const able = contestants.filter(({ storeDoor }) => backEnd.variables[storeDoor])
    const noOpMs: number[] = []
    const takenMs = able.map((): number[] => [])
    // The first round fills the page cache and is not counted.
    for (let round = -1; round < rounds; round++) {
      const noOp = await measure(noOpFile, {}, jsonEvent('POST /score', {}), 204)
      if (round >= 0) noOpMs.push(noOp)
      for (const [index, contestant] of able.entries()) {
        const { functionName, storeDoor, event, status } = contestant
        const file = await bundled(functionName, storeDoor, backEnd.folder)
        const ms = await measure(file, backEnd.variables[storeDoor] ?? {}, event(backEnd), status)
        if (round >= 0) takenMs[index]?.push(ms)
      }
      if (round >= 0) progress(`cold: round ${round + 1} of ${rounds}`)
    }
    return contestants.map((contestant): Figure => {
      const { what, budget } = contestant
      const ms = takenMs[able.indexOf(contestant)]
      if (!ms) return { benchmark: 'cold', what, skipped: withoutMariaDb }
      return {
        benchmark: 'cold',
        what,
        value: medianRatio(ms, noOpMs),
        unit: '×',
        budget,
        detail: `${median(ms).toFixed(1)} ms, no-op ${median(noOpMs).toFixed(1)} ms, ${rounds} rounds`,
      }
    })
  })

const bundles = new Map<string, Promise<string>>()

function bundled(name: string, storeDoor: StoreDoor, folder: string): Promise<string> {
  const key = `${folder} ${storeDoor} ${name}`
  const file = bundles.get(key) ?? bundleOf(name, storeDoor, folder)
  bundles.set(key, file)
  return file
}

/** Starts one process and checks that its answer is the one meant. @returns milliseconds */
function starter(stopwatch: Stopwatch, { folder, authorityFile }: BackEnd, boot: string) {
  const eventFile = path.join(folder, 'event.json')
  return async (
    bundle: string,
    variables: Record<string, string>,
    event: Record<string, unknown>,
    status: number,
  ): Promise<number> => {
    await writeFile(eventFile, JSON.stringify(event))
    const args = [boot, bundle, eventFile, authorityFile]
    const { firstAnswerMs, answer } = await stopwatch.firstAnswer(args, variables)
    const { statusCode } = answer as { statusCode: number }
    if (statusCode !== status) {
      throw new Error(`${bundle} answered ${statusCode}, not ${status}: ${JSON.stringify(answer)}`)
    }
    return firstAnswerMs
  }
}
