/** Bundles every function and prints how large each is and what it holds. Run with --help. */

import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { storeDoorOf, storeDoors } from '../shared/store/doors.ts'
import { bundleFunction, contentsOf, functionNames } from './build/bundle.ts'
import { runCommand } from './cli/command.ts'

const usage = `Usage: npm run build -- [options]

Bundles every function to <outdir>/<name>/index.js.

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
  const wanted = values.store ?? storeDoorOf(process.env.DATABASE_URL)
  const storeDoor = storeDoors.find((door) => door === wanted)
  if (storeDoor === undefined) {
    throw new Error(`--store is ${storeDoors.join(' or ')}, not "${wanted}".`)
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
}

runCommand(import.meta.url, main)
