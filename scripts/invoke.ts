/** `npm run invoke -- FUNCTION EVENT.json`: `serverless invoke local` in fewer words. Run with --help. */

import { createRequire } from 'node:module'

const usage = `Usage: npm run invoke -- FUNCTION EVENT.json [options]

Runs FUNCTION on the event in its own process with its own variables, and prints the reply. Exit code 1 when it
fails or answers 5xx. It is stage local: no .env file is read, and the database is that of npm run dev.
A short form of: npx serverless invoke local -f FUNCTION --path EVENT.json [options]`

const [name, file, ...options] = process.argv.slice(2)
if (name === '--help' || name === '-h') console.log(usage)
else if (name === undefined || file === undefined) {
  console.error(usage)
  process.exitCode = 1
} else {
  process.argv.splice(2, Infinity, 'invoke', 'local', '-f', name, '--path', file, ...options)
  createRequire(import.meta.url)('osls/bin/serverless.js')
}
