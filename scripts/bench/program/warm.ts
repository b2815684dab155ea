/**
 * A warm instance: calls a handler again and again, one invocation at a time, in turn with one that does
 * nothing. Arguments: bundle, bundle of the other, file of the event, expected status, rounds, calls a round,
 * file of an authority to trust. Writes `{ handlerUs, noOpUs }`, a value per round, to file descriptor 3.
 */

import { readFileSync } from 'node:fs'
import { type Handler, invocationContext, loadHandler } from './load-handler.ts'
import { report } from './report.ts'

const [, , bundle = '', noOpBundle = '', eventFile = '', status, rounds, calls, authorityFile] =
  process.argv
const handler = loadHandler(bundle, authorityFile)
const noOp = loadHandler(noOpBundle)
const eventText = readFileSync(eventFile, 'utf8')

async function microsecondsPerCall(call: Handler, expected: number): Promise<number> {
  const events = Array.from({ length: Number(calls) }, (): unknown => JSON.parse(eventText))
  const startedAt = performance.now()
  for (const event of events) {
    const { statusCode } = await call(event, invocationContext())
    if (statusCode !== expected) throw new Error(`answered ${statusCode}, not ${expected}`)
  }
  return ((performance.now() - startedAt) * 1000) / events.length
}

report(async () => {
  const handlerUs: number[] = []
  const noOpUs: number[] = []
  // The first rounds let V8 finish its work.
  for (let round = -2; round < Number(rounds); round++) {
    const spent = await microsecondsPerCall(handler, Number(status))
    const base = await microsecondsPerCall(noOp, 204)
    if (round < 0) continue
    handlerUs.push(spent)
    noOpUs.push(base)
  }
  return { handlerUs, noOpUs }
})
