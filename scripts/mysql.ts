/** Brings a real MySQL and starts one for trying things out. Run with --help. */

import { interruption } from './cli/closers.ts'
import { portOf, progressLine, runCommand } from './cli/command.ts'
import { findMySql } from './simulators/mysql-server/mysql.ts'
import { bringMySql } from './simulators/mysql-server/mysql-from-debian.ts'
import { startServer } from './simulators/mysql-server/private-server.ts'

const usage = `Usage: npm run mysql -- get
       npm run mysql -- start [--port PORT] [-- OPTION…]

A real MySQL beside MariaDB for tests and local work, without installing anything.

  get     brings Debian sid's MySQL into .data/mysql (about 60 MB, some ten seconds) from the mirror
          this machine's apt uses; the machine's packages stay as they are. Does nothing where a MySQL
          is installed or was brought. From then on npm test runs on it too. Delete .data/mysql to
          get rid of it, or to bring a newer one.
  start   starts an empty one and prints its URL, for --database or TEST_DATABASE_URL. Ctrl-C ends
          it and deletes its data.
            --port PORT   its port on 127.0.0.1 (a free one unless told)
            -- OPTION…    further options of mysqld, such as --innodb-buffer-pool-size=1G
  --help  this text`

async function get(): Promise<void> {
  const here = findMySql()
  if (here) return console.log(`MySQL ${here.version} is here already (${here.origin}).`)
  const progress = progressLine()
  const program = await bringMySql({ onProgress: progress.show }).finally(progress.end)
  // The first start makes the data that later ones copy, and shows that it runs here.
  const server = await startServer(program)
  await server.close()
  console.log(`MySQL ${program.version} is here; npm test runs on it too.`)
}

async function start(port: number | undefined, serverOptions: string[]): Promise<void> {
  const program = findMySql()
  if (!program) throw new Error('There is no MySQL on this machine: npm run mysql -- get first.')
  const server = await startServer(program, { serverOptions, port })
  console.log(`ready MySQL ${program.version} ${server.url}`)
  await interruption()
  await server.close()
}

await runCommand({
  usage,
  options: { port: { type: 'string' } },
  takesWords: true,
  async run({ port }, [verb, ...serverOptions]) {
    if (verb === 'start' && serverOptions.every((option) => option.startsWith('--'))) {
      return start(port === undefined ? undefined : portOf('--port', port), serverOptions)
    }
    if (verb === 'get' && serverOptions.length === 0 && port === undefined) return get()
    throw new Error(usage)
  },
})
