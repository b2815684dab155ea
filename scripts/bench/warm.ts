/**
 * What a handler adds to one that does nothing, on a warm instance: event, token, validation, statements,
 * reply and log line, everything but the store, which answers at once.
 */

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { build, type Plugin } from 'esbuild'
import { bundleSettings, prepareOutdir, projectFolder } from '../build/bundle.ts'
import { compileAhead } from '../build/code-cache.ts'
import { withClosers } from '../cli/closers.ts'
import { deployed, startBackEnd, writeNoOp } from './back-end.ts'
import { atMost, type Benchmark, type Row } from './figure.ts'
import { query, submit } from './invocations.ts'
import { leaveMeasuredCore } from './machine.ts'
import { runtimeNode } from './measured-node.ts'
import { median } from './median.ts'
import { compileProgram } from './programs.ts'
import { ratingFormFile } from './rating-form.ts'
import { startStopwatch } from './stopwatch.ts'

const ROUNDS_DEFAULT = 9
const CALLS_PER_ROUND = 1500

const contestants = [
  { ...submit, what: 'submit over no-op, store stubbed', budget: atMost(38, 30) },
  { ...query, what: 'query over no-op (a page of 20), store stubbed', budget: atMost(55, 40) },
]

/** Microseconds per call; log lines go nowhere. */
export const warm: Benchmark = ({ rounds = ROUNDS_DEFAULT, progress }) =>
  withClosers(async (defer) => {
    defer(leaveMeasuredCore())
    const backEnd = await startBackEnd(defer)
    const { folder, variables, authorityFile } = backEnd
    const run = await startStopwatch(folder, defer)
    const program = await compileProgram('warm', folder)
    const noOp = await writeNoOp(folder)
    const rows: Row[] = []
    for (const { what, functionName, status, event, budget } of contestants) {
      const bundle = await bundleWithReplayingStore(functionName, path.join(folder, 'replaying'))
      const eventFile = path.join(folder, 'event.json')
      await writeFile(eventFile, JSON.stringify(event(backEnd)))
      const numbers = [status, rounds, CALLS_PER_ROUND].map(String)
      const args = [program, bundle, noOp, eventFile, ...numbers, authorityFile]
      const { answer } = await run<Record<'handlerUs' | 'noOpUs', number[]>>({
        args,
        variables: variables.planetscale,
        log: 'ignore',
      })
      const { handlerUs, noOpUs } = answer
      progress(`warm: ${functionName}`)
      rows.push({
        what,
        value: median(handlerUs.map((us, round) => us - (noOpUs[round] ?? Number.NaN))),
        unit: 'µs',
        budget,
        detail: `no-op ${median(noOpUs).toFixed(2)} µs, ${rounds} rounds of ${CALLS_PER_ROUND} calls`,
      })
    }
    return rows
  })

/** A function's own bundle, but for the door to its store. @returns the file */
async function bundleWithReplayingStore(name: string, outdir: string): Promise<string> {
  const settings = bundleSettings(name, {
    ...deployed,
    storeDoor: 'planetscale',
    outdir,
    ratingForm: ratingFormFile,
  })
  await prepareOutdir(outdir)
  let wasReplaced = false
  const replaceStore: Plugin = {
    name: 'replace-store',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^\.\/planetscale\.ts$/ }, ({ importer }) => {
        if (!importer.endsWith('doors.ts')) return undefined
        wasReplaced = true
        return { path: path.join(projectFolder, 'scripts/bench/replaying-planetscale.ts') }
      }),
  }
  await build({ ...settings, plugins: [...(settings.plugins ?? []), replaceStore] })
  if (!wasReplaced) throw new Error('the door to the store was not found in the bundle')
  if (runtimeNode) await compileAhead(settings.outfile, runtimeNode)
  return settings.outfile
}
