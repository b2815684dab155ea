/**
 * What a handler adds to one that does nothing, on a warm instance: event, token, validation, statements,
 * reply and log line, everything but the store, which answers at once.
 */

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { build, type Plugin } from 'esbuild'
import { bundleSettings, prepareOutdir, projectFolder } from '../build/bundle.ts'
import {
  type BackEnd,
  jsonEvent,
  ratingOf,
  readAccount,
  startBackEnd,
  writeNoOp,
} from './back-end.ts'
import { withClosers } from './closers.ts'
import { atMost, type Benchmark, type Measured } from './figure.ts'
import { bareEnvironment, leaveMeasuredCore, onMeasuredCore } from './machine.ts'
import { median } from './median.ts'
import { compileProgram, runForJson } from './programs.ts'

const ROUNDS_DEFAULT = 9
const CALLS_PER_ROUND = 1500

const contestants = [
  {
    what: 'submit over no-op, store stubbed',
    functionName: 'submit-score',
    status: 201,
    event: ({ token }: BackEnd) => jsonEvent('POST /score', ratingOf('13900139000'), token),
  },
  {
    what: 'query over no-op (a page of 20), store stubbed',
    functionName: 'query-scores',
    status: 200,
    event: ({ token }: BackEnd) => jsonEvent('POST /query', { acc_nbr: readAccount }, token),
  },
] as const

/** Microseconds per call; log lines go to the null device. */
export const warm: Benchmark = ({ rounds = ROUNDS_DEFAULT, progress }) =>
  withClosers(async (defer) => {
    defer(leaveMeasuredCore())
    const backEnd = await startBackEnd(defer)
    const { folder, variables, authorityFile } = backEnd
    const program = await compileProgram('warm', folder)
    const noOp = await writeNoOp(folder)
    const figures: Measured[] = []
    for (const { what, functionName, status, event } of contestants) {
      const bundle = await bundleWithReplayingDoor(functionName, path.join(folder, 'replaying'))
      const eventFile = path.join(folder, `${functionName}.json`)
      await writeFile(eventFile, JSON.stringify(event(backEnd)))
      const numbers = [status, rounds, CALLS_PER_ROUND].map(String)
      const args = [program, bundle, noOp, eventFile, ...numbers, authorityFile]
      const { handlerUs, noOpUs } = await runForJson<Record<'handlerUs' | 'noOpUs', number[]>>(
        onMeasuredCore(process.execPath, args),
        bareEnvironment(variables.planetscale),
      )
      progress(`warm: ${functionName}`)
      figures.push({
        benchmark: 'warm',
        what,
        value: median(handlerUs.map((us, round) => us - (noOpUs[round] ?? Number.NaN))),
        unit: 'µs',
        budget: atMost(60, 35),
        detail: `no-op ${median(noOpUs).toFixed(2)} µs, ${rounds} rounds of ${CALLS_PER_ROUND} calls`,
      })
    }
    return figures
  })

/** A function's own bundle, but for the door to its store. @returns the file */
async function bundleWithReplayingDoor(name: string, outdir: string): Promise<string> {
  const settings = bundleSettings(name, { storeDoor: 'planetscale', outdir })
  await prepareOutdir(outdir)
  let wasReplaced = false
  const replaceDoor: Plugin = {
    name: 'replace-door',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^\.\/planetscale\.ts$/ }, ({ importer }) => {
        if (!importer.endsWith('doors.ts')) return undefined
        wasReplaced = true
        return { path: path.join(projectFolder, 'scripts/bench/replaying-door.ts') }
      }),
  }
  await build({ ...settings, plugins: [...(settings.plugins ?? []), replaceDoor] })
  if (!wasReplaced) throw new Error('the door to the store was not found in the bundle')
  return settings.outfile
}
