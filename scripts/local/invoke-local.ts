/** One bundle on one event, in a process of its own with its own variables. */

import { storeDoorOf } from '../../shared/store/doors.ts'
import { bundleFunction, makeOwnOutdir } from '../build/bundle.ts'
import { startLocalDatabase } from '../database/local-database.ts'
import { dataFolder, localSecrets, pickVariables, runningAddresses } from './environment.ts'
import { type EventProfile, toEvent } from './events.ts'
import { FunctionProcess, type InvocationResult } from './function-process.ts'
import type { LocalFunction } from './service.ts'

export interface InvokeLocalOptions {
  declared: LocalFunction
  event: unknown
  /** Variables that are set; local defaults stand in for the others. */
  environment: Record<string, string | undefined>
  /** Rebuilds an HTTP event in another trigger's shape. */
  profile?: EventProfile | undefined
  /** Waits for a debugger on this port before the bundle is loaded. */
  inspectPort?: number | undefined
  /** Told what the function prints. */
  onLine: (line: string) => void
  /** Told what the platform would write as well. */
  onPlatformLine?: ((line: string) => void) | undefined
}

/** Runs a function once. @throws {Error} a sentence when it cannot even be built */
export async function invokeLocal(options: InvokeLocalOptions): Promise<InvocationResult> {
  const { declared, profile, inspectPort, onLine, onPlatformLine } = options
  const event = profile === undefined ? options.event : reshape(options.event, profile)
  // With npm run dev running, its database and its WeChat are used: the file is open there.
  const environment: Record<string, string | undefined> = {
    ...(await localSecrets()),
    ...(await runningAddresses()),
    ...Object.fromEntries(Object.entries(options.environment).filter(([, value]) => value)),
  }
  const address = environment.DATABASE_URL || `sqlite:${dataFolder}/dev.sqlite`
  const database = await startLocalDatabase(address)
  const { outdir, remove } = await makeOwnOutdir('invoke')
  try {
    const { file } = await bundleFunction(declared.name, {
      storeDoor: storeDoorOf(database.url),
      outdir,
      sourcemap: true,
      minify: false,
    })
    const variables = { ...environment, DATABASE_URL: database.url }
    const running = new FunctionProcess({
      name: declared.name,
      file,
      environment: pickVariables(declared.variables, variables),
      timeoutMs: declared.timeoutMs,
      memoryMegabytes: declared.memoryMegabytes,
      handler: declared.handler,
      execArgv: ['--enable-source-maps', ...debuggerArgument(inspectPort)],
      isDebugged: inspectPort !== undefined,
      onLine,
      ...(onPlatformLine ? { onPlatformLine } : {}),
    })
    return await running.invoke(event).finally(() => running.stop())
  } finally {
    await remove()
    await database.close()
  }
}

function debuggerArgument(port: number | undefined): string[] {
  return port === undefined ? [] : [`--inspect-brk=127.0.0.1:${port}`]
}

function reshape(event: unknown, profile: EventProfile): unknown {
  const { httpMethod, path, headers, body, queryString } = (event ?? {}) as Record<string, unknown>
  if (typeof httpMethod !== 'string') {
    throw new Error('--profile needs an HTTP event: { "httpMethod", "path", "headers", "body" }.')
  }
  const query = new URLSearchParams((queryString ?? {}) as Record<string, string>)
  return toEvent(
    {
      method: httpMethod,
      url: `${typeof path === 'string' ? path : '/'}?${query}`,
      headers: (headers ?? {}) as Record<string, string>,
      body: Buffer.from(typeof body === 'string' ? body : ''),
      clientIp: '127.0.0.1',
    },
    profile,
  )
}
