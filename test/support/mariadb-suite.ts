/** Suites on the run's MariaDB: skipped where there is none, each with databases of its own. */
import './mariadb-global-setup.ts'
import { afterAll, describe, inject } from 'vitest'
import { createDatabase, dropDatabase } from '../../scripts/simulators/mariadb/private-mariadb.ts'

/** URL of the run's MariaDB (a user who may do everything), or undefined when this machine has none. */
export const mariaDbUrl: string | undefined = inject('mariaDbUrl') || undefined

/** What a suite on MariaDB is handed. */
export interface MariaDbSuite {
  /** URL of the administrator's own database: for `set global`, `create user`, `kill`. */
  adminUrl: string
  /** Creates an empty database and gives its URL; dropped when the suite has ended. */
  freshDatabase(): Promise<string>
}

/**
 * `describe` for a suite that needs MariaDB: skipped as a whole on a machine without it (the run's
 * set-up has said so in one line; in CI it has failed instead).
 */
export function describeWithMariaDb(name: string, body: (suite: MariaDbSuite) => void): void {
  describe.skipIf(mariaDbUrl === undefined)(name, () => {
    const adminUrl = mariaDbUrl ?? ''
    const created: string[] = []
    afterAll(async () => {
      for (const url of created) await dropDatabase(url)
    })
    body({
      adminUrl,
      async freshDatabase() {
        const url = await createDatabase(adminUrl)
        created.push(url)
        return url
      },
    })
  })
}
