/** Writes the API's description. Run with --help. */

import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { runCommand } from './cli/command.ts'
import { describeApi } from './openapi/document.ts'

const usage = `Usage: npm run openapi -- [options]

Writes the API's description, OpenAPI 3.1 as JSON, from the endpoints in functions/. Behind npm, --silent keeps npm's own
lines out: npm run --silent openapi > openapi.json. npm run dev shows it at /docs.

  --out FILE   into this file (default: standard output)
  --help       this text`

await runCommand({
  usage,
  options: { out: { type: 'string' } },
  async run({ out }) {
    const text = `${JSON.stringify(await describeApi(), null, 2)}\n`
    if (out === undefined) {
      process.stdout.write(text)
      return
    }
    await mkdir(path.dirname(path.resolve(out)), { recursive: true })
    await writeFile(out, text)
    console.error(`${out}: ${(Buffer.byteLength(text) / 1024).toFixed(1)} KiB`)
  },
})
