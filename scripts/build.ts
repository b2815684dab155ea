/** Bundles every function and the client, describes the API, and prints how large each is. Run with --help. */

import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { storeDoors } from '../shared/store/doors.ts'
import {
  bundleFunction,
  bundleServer,
  contentsOf,
  functionNames,
  projectFolder,
} from './build/bundle.ts'
import { buildClient } from './build/client.ts'
import { readRatingForm } from './build/rating-form.ts'
import { runCommand } from './cli/command.ts'
import { readStage } from './cli/stage.ts'
import { doorOfAddress } from './database/local-database.ts'
import { describeApi } from './openapi/document.ts'

const usage = `Usage: npm run build -- --stage NAME | --store planetscale|mysql [options]

Bundles every function to <outdir>/<name>/index.js, all of them as one server to <outdir>/server/index.js, and the client for
mini programs to <outdir>/client/, and describes the API in <outdir>/openapi.json. Committed files that follow from the source (shared/client/contract.ts, the client of the example) are
written anew where they are behind it.

  --stage NAME                with the database driver that DATABASE_URL of .env.NAME needs (local: of npm run dev)
  --store planetscale|mysql   with this one, whatever the stage
  --outdir DIR                where bundles go (default: dist)
  --sourcemap                 write index.js.map as well
  --help                      this text`

async function storeDoorFor(stageName: string | undefined): Promise<string> {
  const { headline, values, file } = await readStage(stageName, {})
  console.error(headline)
  if (!values.DATABASE_URL) {
    throw new Error(`DATABASE_URL is not set in ${file}; or say --store planetscale or mysql.`)
  }
  return doorOfAddress(values.DATABASE_URL)
}

await runCommand({
  usage,
  options: {
    stage: { type: 'string' },
    store: { type: 'string' },
    outdir: { type: 'string', default: 'dist' },
    sourcemap: { type: 'boolean', default: false },
  },
  async run({ stage, store, outdir, sourcemap }) {
    if (stage !== undefined && store !== undefined) throw new Error('--stage or --store, not both.')
    const wanted = store ?? (await storeDoorFor(stage))
    const storeDoor = storeDoors.find((door) => door === wanted)
    if (storeDoor === undefined) {
      throw new Error(`--store is ${storeDoors.join(' or ')}, not "${wanted}".`)
    }
    await readRatingForm()
    const options = { storeDoor, outdir, sourcemap }
    const bundles = await Promise.all([
      ...functionNames.map((name) => bundleFunction(name, options)),
      bundleServer(options),
    ])
    const kib = (bytes: number): string => (bytes / 1024).toFixed(1).padStart(7)
    console.log(`${'function'.padEnd(14)}    KiB   gzip  contents (KiB), store door: ${storeDoor}`)
    for (const bundle of bundles) {
      const packed = gzipSync(await readFile(bundle.file), { level: 9 }).length
      const contents = contentsOf(bundle).map(({ part, bytes }) => `${part} ${kib(bytes).trim()}`)
      console.log(
        `${bundle.name.padEnd(14)}${kib(bundle.bytes)}${kib(packed)}  ${contents.join(', ')}`,
      )
    }
    const client = await buildClient({ outdir, refreshes: true })
    const packed = gzipSync(await readFile(`${client.folder}/index.js`), { level: 9 }).length
    console.log(`${'client'.padEnd(14)}${kib(client.bytes)}${kib(packed)}  no dependencies`)
    const description = `${JSON.stringify(await describeApi(), null, 2)}\n`
    await writeFile(path.resolve(projectFolder, outdir, 'openapi.json'), description)
    console.log(
      `${'openapi.json'.padEnd(14)}${kib(Buffer.byteLength(description))}${kib(gzipSync(description).length)}  OpenAPI 3.1`,
    )
    for (const file of client.refreshed) {
      console.log(`${file} was behind the source and is up to date now.`)
    }
  },
})
