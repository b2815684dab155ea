/**
 * One MariaDB for a whole `vitest run`; suites take databases of their own from it through
 * `mariadb-suite.ts`. Listed in `globalSetup` of vitest.config.ts.
 */
import type { TestProject } from 'vitest/node'
import {
  type PrivateMariaDb,
  startPrivateMariaDb,
} from '../../scripts/simulators/mariadb/private-mariadb.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of a user who may create databases; empty when there is no MariaDB on this machine. */
    mariaDbUrl: string
  }
}

let server: PrivateMariaDb | undefined

/** Starts the server, or says in one line that suites on MariaDB are skipped. */
export async function setup(project: TestProject): Promise<void> {
  server = await startPrivateMariaDb()
  if (server === undefined) {
    console.log(
      'No MariaDB on this machine: its tests are skipped (apt-get install mariadb-server-core, or set TEST_DATABASE_URL).',
    )
  }
  project.provide('mariaDbUrl', server?.url ?? '')
}

/** Ends the server and deletes its data. */
export async function teardown(): Promise<void> {
  await server?.close()
}
