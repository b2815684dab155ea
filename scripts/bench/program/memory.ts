/**
 * An instance's resident memory: after its first answer, and after many, one invocation at a time.
 * Arguments: bundle, file of the event, expected status, number of requests, file of an authority to trust.
 * Writes `{ firstMb, lastMb }` to file descriptor 3.
 */

import { readFileSync, writeSync } from 'node:fs'
import { invocationContext, loadHandler } from './load-handler.ts'

const [, , bundle = '', eventFile = '', status, requests, authorityFile] = process.argv
const handler = loadHandler(bundle, authorityFile)
const eventText = readFileSync(eventFile, 'utf8')

async function request(): Promise<void> {
  const { statusCode, body } = await handler(JSON.parse(eventText), invocationContext())
  if (statusCode !== Number(status)) throw new Error(`answered ${statusCode}: ${body}`)
}

async function main(): Promise<void> {
  await request()
  const firstMb = process.memoryUsage.rss() / 1e6
  for (let done = 1; done < Number(requests); done++) await request()
  const lastMb = process.memoryUsage.rss() / 1e6
  writeSync(3, JSON.stringify({ firstMb, lastMb }))
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
