/** A function of serverless.yml as a local run has it: the bundle that would be deployed, in processes of its own. */

import { randomUUID } from 'node:crypto'
import { context, type Message, type Plugin } from 'esbuild'
import { storeDoorOf } from '../../shared/store/doors.ts'
import { bundleSettings } from '../build/bundle.ts'
import { refuseBadVariables } from '../build/declarations.ts'
import type { Defer } from '../cli/closers.ts'
import type { DesiredFunction } from '../service/service.ts'
import { shapeFaultOf } from './events.ts'
import { failureLine, shapeLine } from './failure-line.ts'
import { FunctionInstances } from './function-instances.ts'
import type { InvocationResult } from './function-process.ts'
import type { LocalTarget } from './gateway.ts'
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

export interface LocalFunction extends LocalTarget {
  /** Resolves once every invocation so far has ended. */
  ended(): Promise<void>
}

/** Resolves when it can be invoked. @throws {Error} when it would refuse its variables, or does not build and is not watched */
export async function startFunction(
  wanted: DesiredFunction,
  options: LocalFunctionOptions,
): Promise<LocalFunction> {
  const { surroundings, inspect, hasPlatformLog, print, defer } = options
  const environment = variablesOf(wanted, surroundings.variables)
  await refuseBadVariables(wanted.key, environment)
  const settings = bundleSettings(wanted.key, {
    storeDoor: storeDoorOf(surroundings.variables.DATABASE_URL),
    outdir: options.outdir,
    sourcemap: true,
    minify: false,
    isLocalRun: true,
  })
  const say = (line: object): void => print(JSON.stringify(line))
  const instances = new FunctionInstances(
    {
      name: wanted.key,
      type: wanted.type,
      file: settings.outfile,
      environment,
      timeoutMs: wanted.timeoutSeconds * 1000,
      memoryMegabytes: wanted.memorySize,
      execArgv: ['--enable-source-maps', ...(inspect ? [inspect] : [])],
      isDebugged: inspect !== undefined,
      freezes: true,
      onLine: print,
      onFailure: (error, place) => say(failureLine(wanted.key, error, place)),
      onDebugger: (url) => print(`debug   ${wanted.key.padEnd(15)} ${url}`),
      ...(hasPlatformLog ? { onPlatformLine: print } : {}),
    },
    inspect === undefined ? undefined : 1,
  )
  defer(() => instances.stop())
  let fault: string | undefined
  let isFirst = true
  await bundle(settings, options, async (errors) => {
    fault = errors.length === 0 ? undefined : `${wanted.key} does not build: ${inWords(errors)}`
    await instances.renew()
    if (fault) print(`broken  ${wanted.key}: every request is refused until it builds`)
    else if (!isFirst) print(`rebuilt ${wanted.key}`)
    isFirst = false
    // A debugger that was attached finds it again.
    if (!fault && inspect !== undefined) await instances.start()
  })
  return {
    type: wanted.type,
    ended: () => instances.ended(),
    async invoke(event) {
      if (fault) return refused(fault, say, wanted.key)
      const invocation = await instances.invoke(event)
      const isEvent = wanted.type === 'event' && Object.hasOwn(event ?? {}, 'httpMethod')
      const shapeFault = isEvent && invocation.ok ? shapeFaultOf(invocation.result) : undefined
      if (shapeFault) say(shapeLine(wanted.key, shapeFault))
      return invocation
    },
  }
}

function inWords(errors: readonly Message[]): string {
  return errors
    .map(({ text, location }) =>
      location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text,
    )
    .join('; ')
}

function refused(
  errorMessage: string,
  say: (line: object) => void,
  name: string,
): InvocationResult {
  const requestId = randomUUID()
  const error = { errorCode: -1, errorMessage, requestId, statusCode: 437 } as const
  say(failureLine(name, error, undefined))
  return { ok: false, error, requestId, durationMs: 0 }
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

/** Resolves after the first build was dealt with. @throws {Error} when that fails and no other will follow */
async function bundle(
  settings: ReturnType<typeof bundleSettings>,
  { isWatching, defer }: LocalFunctionOptions,
  onBuilt: (errors: readonly Message[]) => Promise<void>,
): Promise<void> {
  let onFirstBuild = (): void => {}
  const firstBuild = new Promise<void>((resolve) => {
    onFirstBuild = resolve
  })
  const tellBuilds: Plugin = {
    name: 'tell-builds',
    setup: ({ onEnd }) =>
      onEnd(async ({ errors }) => {
        if (isWatching || errors.length === 0) await onBuilt(errors)
        onFirstBuild()
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
