/** The built client on fake phones, talking to the built functions. */

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { build, type Plugin } from 'esbuild'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { clientBundle } from '../../scripts/build/client.ts'
import { startGateway } from '../../scripts/local/gateway.ts'
import { matchesPath } from '../../scripts/local/offline.ts'
import type * as ClientModule from '../../shared/client/index.ts'
import { createFakePhone, type FakePhone } from './fake-phone.ts'
import { readService } from './service.ts'
import { startWorld, type World } from './world.ts'

/** A change of the client's source, to see that its loss is noticed. */
export interface Breakage {
  file: string
  replace: string
  by: string
}

/** The client as it is shipped, or broken. */
export async function clientSource(breakage?: Breakage): Promise<string> {
  const plugins = breakage ? [breaking(breakage)] : []
  const { outputFiles } = await build({ ...clientBundle('cjs'), plugins, write: false })
  return outputFiles?.[0]?.text ?? ''
}

function breaking({ file, replace, by }: Breakage): Plugin {
  const whole = path.join(projectFolder, 'shared/client', file)
  return {
    name: 'breaking',
    setup: ({ onLoad }) => {
      onLoad({ filter: /shared\/client\/.*\.ts$/ }, async ({ path: loaded }) => {
        const source = await readFile(loaded, 'utf8')
        if (loaded !== whole) return { contents: source, loader: 'ts' }
        if (!source.includes(replace)) throw new Error(`${file} does not hold ${replace}`)
        return { contents: source.replaceAll(replace, by), loader: 'ts' }
      })
    },
  }
}

export interface ClientScene {
  world: World
  baseUrl: string
  /** A phone of a new person, or of the one named. */
  phone(options?: { openid?: string; envVersion?: string }): FakePhone
  /** The app of `source` opened on a phone: a client with short waits. */
  client(
    source: string,
    phone: FakePhone,
    options?: Partial<ClientModule.ClientOptions>,
  ): ClientModule.Client
  /** What is stored for an account, as an operator sees it. */
  rows(acc_nbr: string): Promise<{ id: string; txt1: string }[]>
  close(): Promise<void>
}

/** The functions behind one address. */
export async function startClientScene(
  environment: Record<string, string> = {},
): Promise<ClientScene> {
  const operator = 'oOperatorOfScene'
  const world = await startWorld({ environment: { OPERATORS: operator, ...environment } })
  const declared = await readService()
  const gateway = await startGateway({
    port: 0,
    profile: 'function-url',
    route: (requestPath) => {
      const owner = declared.find((each) => matchesPath(each.paths, requestPath))
      if (!owner) return undefined
      const handler = world.handler(owner.key)
      return {
        invoke: async (event) => ({
          ok: true,
          result: await handler(event),
          requestId: '',
          durationMs: 0,
        }),
      }
    },
  })
  const { token } = await world.logIn(operator)
  return {
    world,
    baseUrl: gateway.url,
    phone({ openid, ...options } = {}) {
      let owner = openid
      return createFakePhone({
        ...options,
        issueCode: async () => {
          const issued = await world.code(owner)
          owner = issued.openid
          return issued.code
        },
      })
    },
    client: (source, phone, options) =>
      phone
        .open<typeof ClientModule>(source)
        .createClient({ baseUrl: gateway.url, retryDelayMs: 10, ...options }),
    rows: async (acc_nbr) =>
      (await world.call('POST /query', { body: { acc_nbr, limit: 100 }, token })).body.items,
    async close() {
      await gateway.close()
      await world.close()
    },
  }
}
