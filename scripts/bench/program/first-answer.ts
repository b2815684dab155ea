/**
 * A cold start: loads a bundle, answers one event, writes the reply to file descriptor 3, ends.
 * Arguments: bundle, file of the event, file of an authority to trust or nothing.
 */

import { readFileSync, writeSync } from 'node:fs'
import { invocationContext, loadHandler } from './load-handler.ts'

const [, , bundle = '', eventFile = '', authorityFile] = process.argv
const handler = loadHandler(bundle, authorityFile)
const event: unknown = JSON.parse(readFileSync(eventFile, 'utf8'))
void handler(event, invocationContext()).then((reply) => {
  writeSync(3, JSON.stringify(reply))
  process.exit(0)
})
