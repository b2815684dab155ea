/**
 * Everything on this machine: a database, an offline WeChat and the bundles that would be deployed, each function in
 * processes of its own with its own variables, behind a gateway.
 */

import { type Defer, interruption, withClosers } from '../cli/closers.ts'
import { portOf } from '../cli/command.ts'
import { announceRunning } from '../cli/data-folder.ts'
import type { Stage } from '../cli/stage.ts'
import { createDocumentationPage } from '../openapi/page.ts'
import type { DesiredFunction } from '../service/service.ts'
import type { EventProfile } from './events.ts'
import { type LocalTarget, startGateway } from './gateway.ts'
import { startFunction } from './local-function.ts'
import { openPort } from './open-port.ts'
import { watchSettings } from './settings-watch.ts'
import { makeOwnOutdir, startSurroundings } from './surroundings.ts'
import { TRY_IT_OPERATOR } from './try-it/people.ts'
import { createTryIt } from './try-it/try-it.ts'

export interface OfflineOptions {
  functions: readonly DesiredFunction[]
  stage: Stage
  profile: EventProfile
  /** Rebuild and restart when a source file changes. */
  isWatching: boolean
  /** First port for debuggers, one a function. */
  inspectPort?: number | undefined
  hasPlatformLog: boolean
  /** The offline WeChat takes no login codes but its own: not those of the DevTools. */
  hasStrictCodes: boolean
  /** Where the database file and local secrets live; `.data` by default. */
  folder?: string | undefined
  /** PORT and WECHAT_PORT. */
  env: Readonly<Record<string, string | undefined>>
  print: (line: string) => void
}

/** Starts everything, or nothing, and ends it when it is interrupted. @throws {Error} a sentence */
export function runOffline(options: OfflineOptions): Promise<void> {
  return withClosers(async (defer) => {
    await start(options, defer)
    await interruption()
  })
}

async function start(options: OfflineOptions, defer: Defer): Promise<void> {
  const { stage, folder, env, print, profile, inspectPort, isWatching, hasPlatformLog } = options
  const wechatPort = portOf('WECHAT_PORT', env.WECHAT_PORT || '3001')
  const surroundings = await startSurroundings({
    stage,
    folder,
    wechatPort,
    adoptUnknownCodes: !options.hasStrictCodes,
    print,
    defer,
  })
  const { wechat, variables } = surroundings
  if (wechat) {
    print(`ready   offline WeChat  ${wechat.url}  (what it can do: GET ${wechat.url}/sim)`)
    variables.OPERATORS = [stage.values.OPERATORS, TRY_IT_OPERATOR].filter(Boolean).join(',')
  }
  const tryIt =
    wechat &&
    createTryIt({
      wechat,
      databaseUrl: variables.DATABASE_URL,
      links: [
        { href: '/docs', text: 'API' },
        { href: `${wechat.url}/`, text: 'offline WeChat' },
      ],
    })
  if (tryIt) defer(tryIt.close)
  const printFunction = (line: string): void => {
    tryIt?.line(line)
    print(line)
  }
  defer(await announceRunning(variables, folder))

  const outdir = await makeOwnOutdir('local', defer)
  const running: { paths: readonly string[]; target: LocalTarget }[] = []
  for (const [index, wanted] of options.functions.entries()) {
    const port = inspectPort && (await openPort(inspectPort + index, '--inspect'))
    const inspect = port === undefined ? undefined : `--inspect=127.0.0.1:${port}`
    const target = await startFunction(wanted, {
      surroundings,
      outdir,
      isWatching,
      inspect,
      hasPlatformLog,
      print: printFunction,
      defer,
    })
    running.push({ paths: wanted.paths, target })
  }
  if (isWatching) await watchSettings({ print, defer })
  const gateway = await startGateway({
    port: portOf('PORT', env.PORT || '3000'),
    profile,
    route: (path) => running.find(({ paths }) => matchesPath(paths, path))?.target,
    // What a browser finds beside the functions.
    pages: [...(tryIt ? [tryIt] : []), createDocumentationPage()],
    ...(tryIt ? { onAnswered: tryIt.add } : {}),
  })
  defer(gateway.close)
  print(`ready   gateway         ${gateway.url}  (${profile})`)
  if (tryIt) print(`ready   try it          ${gateway.url}/`)
}

/** Whether a request path falls under one of a function's paths: exact, or with `/*` at the end. */
export function matchesPath(paths: readonly string[], requestPath: string): boolean {
  return paths.some((each) =>
    each.endsWith('/*') ? requestPath.startsWith(each.slice(0, -1)) : requestPath === each,
  )
}
