/**
 * A MariaDB and a MySQL, or the kinds of server that `TEST_SERVERS` names, for a whole `vitest run`; suites take databases of their own from them through
 * `server-suites.ts`. Listed in `globalSetup` of vitest.config.ts.
 */
import type { TestProject } from 'vitest/node'
import {
  borrowServer,
  type DatabaseServer,
  findServer,
  startPrivateServer,
} from '../../scripts/simulators/mysql-server/private-server.ts'
import {
  type ServerKind,
  serverKinds,
} from '../../scripts/simulators/mysql-server/server-program.ts'

/** A server that runs already. */
export interface RunningServer {
  kind: ServerKind
  /** URL of a user who may create databases. */
  url: string
}

declare module 'vitest' {
  interface ProvidedContext {
    servers: RunningServer[]
    /** What a suite can start for itself. */
    startableServers: ServerKind[]
  }
}

const absences: Readonly<Record<ServerKind, string>> = {
  MariaDB:
    'No MariaDB on this machine: its tests are skipped (apt-get install mariadb-server-core, or set TEST_DATABASE_URL).',
  MySQL: 'No MySQL on this machine: its tests are skipped (npm run mysql -- get brings one).',
  TiDB: 'No TiDB on this machine: its tests are skipped (npm run engines -- build compiles one).',
}

const LEFT_OUT =
  'TiDB, Vitess’s planner and ps-http-sim are left out here: npm run engines compiles them (with Go) and runs the suites on them.'

/** TiDB and the other engines of `npm run engines` have runs of their own. */
const usualKinds: readonly ServerKind[] = ['MariaDB', 'MySQL']

/** What a run says of the kinds of server it goes on without: a line each. */
export function linesOnAbsent(
  there: readonly ServerKind[],
  wanted: readonly ServerKind[] = usualKinds,
): string[] {
  return wanted.filter((kind) => !there.includes(kind)).map((kind) => absences[kind])
}

/** The kinds that `TEST_SERVERS` names, such as `MySQL,TiDB`. @throws {Error} naming a word that is none */
function kindsWanted(names = process.env.TEST_SERVERS): readonly ServerKind[] {
  if (names === undefined) return usualKinds
  return names.split(',').map((name) => {
    const kind = serverKinds.find((each) => each === name)
    if (kind) return kind
    throw new Error(`TEST_SERVERS names ${serverKinds.join(', ')}, not "${name}"`)
  })
}

let servers: DatabaseServer[] = []

/** Starts the servers, or says in one line each which of them is missing. `TEST_DATABASE_URL` takes the place of both. */
export async function setup(project: TestProject): Promise<void> {
  const borrowed = process.env.TEST_DATABASE_URL
  const wanted = kindsWanted()
  const started = await Promise.all(
    borrowed ? [borrowServer(borrowed)] : wanted.map((kind) => startPrivateServer(kind)),
  )
  servers = started.filter((server) => server !== undefined)
  const startable = wanted.filter(findServer)
  const there = [...startable, ...servers.map(({ kind }) => kind)]
  for (const line of linesOnAbsent(there, wanted)) console.log(line)
  if (!borrowed && !wanted.includes('TiDB')) console.log(LEFT_OUT)
  project.provide(
    'servers',
    servers.map(({ kind, url }) => ({ kind, url })),
  )
  project.provide('startableServers', startable)
}

/** Ends the servers and deletes their data. */
export async function teardown(): Promise<void> {
  await Promise.all(servers.map((server) => server.close()))
}
