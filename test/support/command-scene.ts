/**
 * The provider's commands against the offline cloud without the framework around them: for the many cases that need no
 * process of their own. What needs one is tested through deploy-scene.ts.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readDeclarations } from '../../scripts/build/declarations.ts'
import type { FunctionBlock, ProviderBlock } from '../../scripts/service/blocks.ts'
import { desiredService, functionCalled } from '../../scripts/service/service.ts'
import { createCloudClient } from '../../scripts/tencent/cloud/client.ts'
import {
  type Command,
  type CommandContext,
  sentenceFor,
} from '../../scripts/tencent/commands/context.ts'
import type { CliOptions } from '../../scripts/tencent/framework.ts'
import { writePackage } from '../../scripts/tencent/package-functions.ts'
import { deterministicZip, type PackedFile } from '../../scripts/tencent/zip.ts'
import { soundVariables } from './serverless-project.ts'
import { type CloudOptions, startTencentCloud, type TencentCloud } from './tencent-cloud/server.ts'

const account = { secretId: 'AKIDexample', secretKey: 'a-secret-key' }

export interface Configuration {
  service: string
  provider: ProviderBlock
  functions: Record<'login' | 'submit-score' | 'query-scores', FunctionBlock>
}

export interface Outcome {
  code: number
  output: string
}

function configurationOf(variables: Record<string, string>): Configuration {
  const { WECHAT_SECRET, SEALING_KEYS, LOOKUP_KEY, ...shared } = variables
  const block = (key: string, paths: string[], environment: object): FunctionBlock => ({
    name: `miniscore-dev-${key}`,
    environment: { ...environment },
    events: [{ http: { paths } }],
  })
  return {
    service: 'miniscore',
    provider: { name: 'tencent', stage: 'dev', environment: shared },
    functions: {
      login: block('login', ['/login', '/login/*', '/logout'], {
        WECHAT_SECRET,
        SEALING_KEYS,
        LOOKUP_KEY,
      }),
      'submit-score': block('submit-score', ['/score'], {}),
      'query-scores': block('query-scores', ['/query', '/query/*', '/form'], { LOOKUP_KEY }),
    },
  }
}

/** The stored function of stage dev; throws when it is not there. */
export function storedIn(cloud: TencentCloud, key: string) {
  const stored = cloud.functions().find(({ name }) => name === `miniscore-dev-${key}`)
  if (!stored) throw new Error(`${key} is not deployed`)
  return stored
}

export interface SceneOptions extends Omit<CloudOptions, 'account'> {
  /** How long commands wait for the cloud, in milliseconds; `scene.patience` changes it later. */
  patienceMs?: number
}

/** Code of an event function that passes the test of a deploy; `extra` is done first with the `event`. */
export function answeringCode(key: string, extra = ''): string {
  return `
const reply = (statusCode, type, body) =>
  ({ statusCode, headers: { 'content-type': type }, body: JSON.stringify(body) })
exports.main_handler = async (event) => {
  ${extra}
  if (event.fail) throw new Error(event.fail)
  if (event.say) console.log(event.say)
  if (event.path === '/form' && ${key === 'query-scores'})
    return reply(200, 'application/json', { grades: [], texts: [] })
  if (event.path) return reply(404, 'application/problem+json', { code: 'not-found' })
  return '${key}'
}`
}

/** Close it in the end. */
export async function startCommandScene(options: SceneOptions = {}) {
  const { patienceMs = 20_000, ...cloudOptions } = options
  const cloud = await startTencentCloud({ account, ...cloudOptions })
  const patience = { totalMs: patienceMs, waitsMs: [1, 10] }
  const tables = { pending: [] as string[] }
  const folder = await mkdtemp(join(tmpdir(), 'command-scene-'))
  const configuration = configurationOf(soundVariables())
  const declarations = await readDeclarations(Object.keys(configuration.functions))

  const writeCode = async (key: string, source: string, bootstrap?: string): Promise<void> => {
    const files: PackedFile[] = [{ name: 'index.js', data: Buffer.from(source) }]
    if (bootstrap)
      files.push({ name: 'scf_bootstrap', data: Buffer.from(bootstrap), executable: true })
    const zip = await deterministicZip(files)
    const parts = declarations.get(key) ?? {}
    await writePackage({ key, zip, storeDoor: 'planetscale', parts }, folder)
  }
  for (const key of Object.keys(configuration.functions)) await writeCode(key, answeringCode(key))

  return {
    cloud,
    folder,
    patience,
    /** The stage's migrations. */
    tables,
    /** Changed in place by tests, read at each run. */
    configuration,
    /** Replaces the package of a function; with `bootstrap` by that of a Web function. */
    writeCode,
    /** Runs one command as the framework would; an error that is not a sentence for a person fails the test. */
    run: async (command: Command, event: string, cliOptions: CliOptions = {}): Promise<Outcome> => {
      cloud.forgetCalls()
      const lines: string[] = []
      let code = 0
      const write = (line: string): void => void lines.push(line)
      const service = desiredService(configuration)
      const context: CommandContext = {
        stage: { name: 'dev', headline: '', values: {}, fileValues: {} },
        service,
        options: cliOptions,
        serviceDir: folder,
        packageFolder: folder,
        print: write,
        tell: write,
        chosen: () =>
          typeof cliOptions.function === 'string'
            ? [functionCalled(service, cliOptions.function)]
            : service.functions,
        markPackaged: () => undefined,
        endWith: (exitCode) => {
          code = exitCode
        },
        answeredTimers: async (keys) => new Map(keys.map((key) => [key, ['nightly']])),
        migrations: async () => ({
          pending: async () => [...tables.pending],
          apply: async () => tables.pending.splice(0),
        }),
        connect: () =>
          createCloudClient({
            credentials: account,
            region: service.region,
            namespace: service.namespace,
            endpoint: cloud.endpoint,
            patience,
          }),
      }
      try {
        await command.hooks[event]?.(context)
        return { code, output: lines.join('\n') }
      } catch (error) {
        const sentence = sentenceFor(error)
        if (sentence === undefined) throw error
        return { code: 1, output: [...lines, sentence].join('\n') }
      }
    },
    close: async (): Promise<void> => {
      await cloud.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export type CommandScene = Awaited<ReturnType<typeof startCommandScene>>
