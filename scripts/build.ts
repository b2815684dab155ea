/** Bundles every function and the client, and prints how large each is and what it holds. Run with --help. */

import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { bundleFunction, contentsOf, functionNames, storeDoorOf } from './build/bundle.ts'
import { buildClient } from './build/client.ts'
import { runCommand } from './cli/command.ts'

const usage = `Usage: npm run build -- [options]

Bundles every function to <outdir>/<name>/index.js, and the client for mini programs to <outdir>/client/. Committed files that
follow from the source (shared/client/contract.ts, the client of the example) are written anew where they are behind it.

  --store planetscale|mysql   the database driver to bundle (default: the one DATABASE_URL needs)
  --outdir DIR                where bundles go (default: dist)
  --sourcemap                 write index.js.map as well
  --help                      this text`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      store: { type: 'string' },
      outdir: { type: 'string', default: 'dist' },
      sourcemap: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(usage)
  const storeDoor = values.store ?? storeDoorOf(process.env.DATABASE_URL)
  if (storeDoor !== 'planetscale' && storeDoor !== 'mysql') {
    throw new Error(`--store is planetscale or mysql, not "${storeDoor}".`)
  }
  const { outdir, sourcemap } = values
  const bundles = await Promise.all(
    functionNames.map((name) => bundleFunction(name, { storeDoor, outdir, sourcemap })),
  )
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
  for (const file of client.refreshed)
    console.log(`${file} was behind the source and is up to date now.`)
}

runCommand(import.meta.url, main)
