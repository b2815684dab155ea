/**
 * All functions as one server: everything on one port, with one set of connections to the database, one limiter and one
 * breaker. The build makes its entry, which hands over what each folder of functions/ declares.
 */

import type { AnyEndpoint } from '../../endpoint.ts'
import { createLogger } from '../../log.ts'
import { machine } from '../../wiring/clock.ts'
import {
  type AnyParts,
  database,
  everyFunction,
  type Part,
  type Parts,
} from '../../wiring/compose.ts'
import type { Environment } from '../../wiring/configuration.ts'
import { type InstanceDatabase, isAnswering } from '../../wiring/database.ts'
import { type EveryNeed, serve } from '../serve.ts'
import { createMetrics } from './metrics.ts'
import { createProbes, type WatchingOptions } from './probes.ts'
import { portFrom } from './web-program.ts'

/** What a folder of functions/ declares, in parts.ts and endpoints.ts. */
export interface DeclaredFunction {
  parts: AnyParts
  endpoints: readonly AnyEndpoint<never>[]
}

/** What endpoints need that are known at build only, and what the server needs for itself. */
type ServerNeeds = EveryNeed & { database: InstanceDatabase }

/** For the database to answer a probe; whoever probes waits as long. */
const READY_WITHIN_MS = 2000

/** Runs the server until it is told to stop; see `runWeb`. */
export async function runAllFunctions(functions: readonly DeclaredFunction[]): Promise<void> {
  const metrics = createMetrics()
  const log = metrics.counting(createLogger({ functionName: 'server', now: machine.now }))
  // Each function's own entry holds its endpoints to its parts; what joins them here is theirs.
  const parts = { ...unionOfParts(functions.map(({ parts }) => parts)), database }
  const { runWeb } = serve<ServerNeeds>({
    functionName: 'server',
    parts: parts as unknown as Parts<ServerNeeds>,
    endpoints: unionOfEndpoints(functions) as unknown as readonly AnyEndpoint<ServerNeeds>[],
    log,
  })
  await runWeb(
    ({ database }) =>
      (load) =>
        createProbes({
          isReady: () => isAnswering(database, READY_WITHIN_MS),
          metrics: () => metrics.text({ ...load(), isDatabaseLeftAlone: database.isLeftAlone() }),
          metricsAt: metricsPlace(process.env),
        }),
  )
}

/** `METRICS_PORT` and `METRICS_HOST`: counts are nobody's business outside. @throws {Error} naming the variable */
export function metricsPlace(env: Environment): WatchingOptions['metricsAt'] {
  const { METRICS_PORT: port, METRICS_HOST: host } = env
  if (!port) return undefined
  return { port: portFrom('METRICS_PORT', port), host: host || '127.0.0.1' }
}

/**
 * The parts of several functions as those of one. What every function has gives way to what one of them has of its own by that
 * name, which can do more. @throws {Error} when two mean different things by a name
 */
export function unionOfParts(all: readonly AnyParts[]): AnyParts {
  const common: AnyParts = everyFunction
  const union: Record<string, Part<unknown>> = { ...common }
  for (const parts of all) {
    for (const [name, part] of Object.entries(parts)) {
      const known = union[name]
      if (part === common[name] || part === known) continue
      if (known !== common[name]) throw new Error(`Two functions have different parts "${name}".`)
      union[name] = part
    }
  }
  return union
}

/** Their endpoints, each once. @throws {Error} when two functions answer a route differently */
export function unionOfEndpoints(
  functions: readonly Pick<DeclaredFunction, 'endpoints'>[],
): AnyEndpoint<never>[] {
  const union = [...new Set(functions.flatMap(({ endpoints }) => endpoints))]
  const routes = union.map(({ route }) => route)
  const twice = routes.find((route, index) => routes.indexOf(route) !== index)
  if (twice !== undefined) throw new Error(`Two functions answer ${twice} differently.`)
  return union
}
