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

export interface OfflineOptions {
  functions: readonly DesiredFunction[]
  stage: Stage
  profile: EventProfile
  /** Rebuild and restart when a source file changes. */
  isWatching: boolean
  /** First port for debuggers, one a function. */
  inspectPort?: number | undefined
  hasPlatformLog: boolean
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
  const surroundings = await startSurroundings({ stage, folder, wechatPort, print, defer })
  const { wechatUrl } = surroundings
  if (wechatUrl) {
    print(`ready   offline WeChat  ${wechatUrl}  (what it can do: GET ${wechatUrl}/sim)`)
  }
  defer(await announceRunning(surroundings.variables, folder))

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
      print,
      defer,
    })
    running.push({ paths: wanted.paths, target })
  }
  if (isWatching) await watchSettings({ print, defer })
  const gateway = await startGateway({
    port: portOf('PORT', env.PORT || '3000'),
    profile,
    route: (path) => running.find(({ paths }) => matchesPath(paths, path))?.target,
    pages: [createDocumentationPage()],
  })
  defer(gateway.close)
  print(`ready   gateway         ${gateway.url}  (${profile})`)
}

/** Whether a request path falls under one of a function's paths: exact, or with `/*` at the end. */
export function matchesPath(paths: readonly string[], requestPath: string): boolean {
  return paths.some((each) =>
    each.endsWith('/*') ? requestPath.startsWith(each.slice(0, -1)) : requestPath === each,
  )
}
