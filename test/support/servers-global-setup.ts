/**
 * A MariaDB and a MySQL for a whole `vitest run`; suites take databases of their own from them through
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
}

/** What a run says of the kinds of server it goes on without: a line each. */
export function linesOnAbsent(there: readonly ServerKind[]): string[] {
  return serverKinds.filter((kind) => !there.includes(kind)).map((kind) => absences[kind])
}

let servers: DatabaseServer[] = []

/** Starts the servers, or says in one line each which of them is missing. `TEST_DATABASE_URL` takes the place of both. */
export async function setup(project: TestProject): Promise<void> {
  const borrowed = process.env.TEST_DATABASE_URL
  const started = await Promise.all(
    borrowed ? [borrowServer(borrowed)] : serverKinds.map((kind) => startPrivateServer(kind)),
  )
  servers = started.filter((server) => server !== undefined)
  const startable = serverKinds.filter(findServer)
  const there = [...startable, ...servers.map(({ kind }) => kind)]
  for (const line of linesOnAbsent(there)) console.log(line)
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
