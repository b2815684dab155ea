/** Suites on the run's database servers, once on each there is: skipped where there is none. */
import './servers-global-setup.ts'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import {
  createDatabase,
  dropDatabase,
  type PrivateDatabaseServer,
  type PrivateServerOptions,
  startPrivateServer,
} from '../../scripts/simulators/mysql-server/private-server.ts'
import type { ServerKind } from '../../scripts/simulators/mysql-server/server-program.ts'

/** URL of a user of the run's server who may do everything, or undefined when the run has no such server. */
export function serverUrl(kind: ServerKind): string | undefined {
  return servers.find((server) => server.kind === kind)?.url
}

const servers = inject('servers')

/** The server for what is tried on one only. */
export const anyServerUrl: string | undefined = servers[0]?.url

/** What a suite on a server is handed. */
export interface ServerSuite {
  kind: ServerKind
  /** URL of the administrator's own database: for `set global`, `create user`, `kill`. */
  adminUrl: string
  /** Creates an empty database and gives its URL; dropped when the suite has ended. */
  freshDatabase(): Promise<string>
}

/**
 * `describe` on each of the run's servers: skipped as a whole on a machine without any (the run's
 * set-up has said so; in CI it has failed instead).
 */
export function describeOnServers(name: string, body: (suite: ServerSuite) => void): void {
  if (servers.length === 0) describe.skip(name, () => body(suiteOn({ kind: 'MariaDB', url: '' })))
  for (const server of servers) describe(`${name} (${server.kind})`, () => body(suiteOn(server)))
}

function suiteOn({ kind, url: adminUrl }: { kind: ServerKind; url: string }): ServerSuite {
  const created: string[] = []
  afterAll(async () => {
    for (const url of created) await dropDatabase(url)
  })
  return {
    kind,
    adminUrl,
    async freshDatabase() {
      const url = await createDatabase(adminUrl)
      created.push(url)
      return url
    },
  }
}

/**
 * `describe` with a server of the suite's own, of each kind there is, for what kills it or spoils its
 * settings. `body` may ask for the server once tests run.
 */
export function describeOnOwnServers(
  name: string,
  body: (server: () => PrivateDatabaseServer, kind: ServerKind) => void,
  options: PrivateServerOptions = {},
): void {
  const kinds = inject('startableServers')
  const bodyOn = (kind: ServerKind) => () => {
    let server: PrivateDatabaseServer | undefined
    beforeAll(async () => {
      server = await startPrivateServer(kind, options)
    })
    afterAll(() => server?.close())
    body(() => {
      if (!server) throw new Error(`${kind} is there, yet it was not started`)
      return server
    }, kind)
  }
  if (kinds.length === 0) describe.skip(name, bodyOn('MariaDB'))
  for (const kind of kinds) describe(`${name} (${kind})`, bodyOn(kind))
}
