/**
 * An instance that answers the same event some times, one invocation at a time, and then ends: a cold start is one with
 * one answer. Arguments: bundle, file of the event, expected status, number of answers, file of an authority to trust.
 * Writes `{ firstMb, lastMb, codeCache }` to file descriptor 3: its resident memory after the first and the last answer, and what a
 * bundle that was compiled ahead says of that.
 */

import { readFileSync } from 'node:fs'
import { invocationContext, loadHandler } from './load-handler.ts'
import { report } from './report.ts'

const [, , bundle = '', eventFile = '', status, answers, authorityFile] = process.argv
const handler = loadHandler(bundle, authorityFile)
const eventText = readFileSync(eventFile, 'utf8')

async function answer(): Promise<number> {
  const { statusCode, body } = await handler(JSON.parse(eventText), invocationContext())
  if (statusCode !== Number(status)) throw new Error(`answered ${statusCode}: ${body}`)
  return process.memoryUsage.rss() / 1e6
}

report(async () => {
  const firstMb = await answer()
  let lastMb = firstMb
  for (let done = 1; done < Number(answers); done++) lastMb = await answer()
  const { CODE_CACHE: codeCache } = globalThis as { CODE_CACHE?: string }
  return { firstMb, lastMb, codeCache }
})
