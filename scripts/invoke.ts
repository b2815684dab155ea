/** `npm run invoke`: a short form of `serverless invoke local`. Run with --help. */

import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { functionNames } from './build/bundle.ts'
import { runCommand } from './cli/command.ts'
import { loadDotenv } from './local/environment.ts'
import { invokeLocal } from './local/invoke-local.ts'
import { readService } from './local/service.ts'

const usage = `Usage: npm run invoke -- FUNCTION EVENT.json

Bundles FUNCTION (${functionNames.join(', ')}), runs it on the event in its own process
with its own variables, and prints the reply. Exit code 1 when it fails or answers 5xx.
Variables come from the environment or .env; local defaults stand in for the others.
More options: npx serverless invoke local --help`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean' } },
    allowPositionals: true,
  })
  const [name, file] = positionals
  if (values.help) return console.log(usage)
  if (name === undefined || file === undefined) throw new Error(usage)
  loadDotenv()
  const event = await readEvent(file)
  const declared = (await readService()).find((each) => each.name === name)
  if (!declared) {
    throw new Error(`There is no function "${name}". There are: ${functionNames.join(', ')}.`)
  }
  const invocation = await invokeLocal({
    declared,
    event,
    environment: process.env,
    onLine: (line) => console.error(line),
  })
  const reply = invocation.ok ? invocation.result : invocation.error
  console.log(JSON.stringify(reply, null, 2))
  const { statusCode = 200 } = (reply ?? {}) as { statusCode?: number }
  process.exitCode = invocation.ok && statusCode < 500 ? 0 : 1
}

async function readEvent(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Error(`${file} cannot be read.`)
  })
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Error(`${file} is not JSON.`)
  }
}

runCommand(import.meta.url, main)
