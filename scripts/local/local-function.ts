/** A function of serverless.yml as a local run has it: the bundle that would be deployed, in processes of its own. */

import { context, type Plugin } from 'esbuild'
import { storeDoorOf } from '../../shared/store/doors.ts'
import { bundleSettings } from '../build/bundle.ts'
import { refuseBadVariables } from '../build/declarations.ts'
import type { Defer } from '../cli/closers.ts'
import type { DesiredFunction } from '../service/service.ts'
import { FunctionInstances } from './function-instances.ts'
import type { Surroundings } from './surroundings.ts'

export interface LocalFunctionOptions {
  surroundings: Surroundings
  /** Where its bundle goes. */
  outdir: string
  /** Rebuild and restart when a source file changes. */
  isWatching: boolean
  /** `--inspect…` of Node, when a debugger is to find it. */
  inspect?: string | undefined
  hasPlatformLog: boolean
  print: (line: string) => void
  /** Gets what is to be ended. */
  defer: Defer
}

/** Resolves when it can be invoked. @throws {Error} when it would refuse its variables or does not build */
export async function startFunction(
  wanted: DesiredFunction,
  options: LocalFunctionOptions,
): Promise<FunctionInstances> {
  const { surroundings, inspect, hasPlatformLog, print, defer } = options
  const environment = variablesOf(wanted, surroundings.variables)
  await refuseBadVariables(wanted.key, environment)
  const settings = bundleSettings(wanted.key, {
    storeDoor: storeDoorOf(surroundings.variables.DATABASE_URL),
    outdir: options.outdir,
    sourcemap: true,
    minify: false,
  })
  const instances = new FunctionInstances(
    {
      name: wanted.key,
      file: settings.outfile,
      environment,
      timeoutMs: wanted.timeoutSeconds * 1000,
      memoryMegabytes: wanted.memorySize,
      execArgv: ['--enable-source-maps', ...(inspect ? [inspect] : [])],
      isDebugged: inspect !== undefined,
      onLine: print,
      ...(hasPlatformLog ? { onPlatformLine: print } : {}),
    },
    inspect === undefined ? undefined : 1,
  )
  defer(() => instances.stop())
  await bundle(settings, options, async () => {
    await instances.stop()
    print(`rebuilt ${wanted.key}`)
  })
  return instances
}

/** What the function is given: values of serverless.yml, and of its surroundings what it declares. */
export function variablesOf(
  { variables, declared }: DesiredFunction,
  surroundings: Readonly<Record<string, string>>,
): Record<string, string> {
  const all: Readonly<Record<string, string>> = { ...variables, ...surroundings }
  // The framework's own invoke local adds IS_LOCAL to every function; the cloud does not.
  const names = declared.filter((name) => all[name] && name !== 'IS_LOCAL')
  return Object.fromEntries(names.map((name) => [name, all[name] ?? '']))
}

/** Resolves after the first build. Later ones that fail are printed, and the last good bundle runs on. */
async function bundle(
  settings: ReturnType<typeof bundleSettings>,
  { isWatching, defer }: LocalFunctionOptions,
  onRebuilt: () => Promise<void>,
): Promise<void> {
  let onFirstBuild: (() => void) | undefined
  const firstBuild = new Promise<void>((resolve) => {
    onFirstBuild = resolve
  })
  const tellBuilds: Plugin = {
    name: 'tell-builds',
    setup: ({ onEnd }) =>
      onEnd(async ({ errors }) => {
        if (onFirstBuild) {
          onFirstBuild()
          onFirstBuild = undefined
        } else if (errors.length === 0) await onRebuilt()
      }),
  }
  const plugins = [...(settings.plugins ?? []), tellBuilds]
  const bundling = await context({ ...settings, logLevel: 'warning', plugins })
  defer(() => bundling.dispose())
  if (isWatching) {
    await bundling.watch()
    await firstBuild
  } else await bundling.rebuild()
}
