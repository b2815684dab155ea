/**
 * What a server did, counted from its own log, as text for Prometheus. Names of routes, statuses and codes only: nothing of
 * people or accounts, so there are as few series as endpoints.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */

import type { LogEvent, Logger } from '../../ports.ts'

/** What a server is at this moment. */
export interface Gauges {
  inside: number
  insideMost: number
  waiting: number
  connections: number
  isDatabaseLeftAlone: boolean
}

/** The counts of a server. */
export interface Metrics {
  /** A log that counts each line, and hands it on. */
  counting(log: Logger): Logger
  /** The text of everything counted, and of `gauges`. */
  text(gauges: Gauges): string
}

/** Upper ends in seconds: an answer without the database, with it, with WeChat, and those that people notice. */
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 4]

interface Durations {
  /** How many took at most so long, by bucket. */
  upTo: number[]
  sumSeconds: number
  count: number
}

type Labels = Readonly<Record<string, string | number>>

/** Counts from zero. */
export function createMetrics(): Metrics {
  const requests = new Map<string, number>()
  const events = new Map<string, number>()
  const durations = new Map<string, Durations>()

  const count = (counts: Map<string, number>, labels: Labels, by = 1): void => {
    const series = seriesOf(labels)
    counts.set(series, (counts.get(series) ?? 0) + by)
  }

  const time = (route: string, durationMs: number): void => {
    const known = durations.get(route) ?? {
      upTo: BUCKETS_SECONDS.map(() => 0),
      sumSeconds: 0,
      count: 0,
    }
    durations.set(route, known)
    const seconds = durationMs / 1000
    for (const [index, end] of BUCKETS_SECONDS.entries()) {
      if (seconds <= end) known.upTo[index] = (known.upTo[index] ?? 0) + 1
    }
    known.sumSeconds += seconds
    known.count++
  }

  const take = ({
    event,
    route = '',
    status = 0,
    code = '',
    count: by,
    durationMs,
  }: LogEvent): void => {
    if (event !== 'request') count(events, { event }, by)
    else {
      count(requests, { route, status, code }, by)
      if (route !== '' && durationMs !== undefined) time(route, durationMs)
    }
  }

  return {
    counting: (log) => ({
      write(line) {
        take(line)
        log.write(line)
      },
    }),
    text: (gauges) =>
      [
        ...family(
          'miniscore_requests_total',
          'counter',
          'Requests that were answered or turned away.',
          requests,
        ),
        ...head(
          'miniscore_request_seconds',
          'histogram',
          'From a request that is let in to its answer.',
        ),
        ...[...durations].flatMap(([route, each]) =>
          histogram('miniscore_request_seconds', route, each),
        ),
        ...family(
          'miniscore_events_total',
          'counter',
          'Lines of the log that are no requests.',
          events,
        ),
        ...gauge('miniscore_requests_inside', 'Requests that are worked on.', gauges.inside),
        ...gauge(
          'miniscore_requests_inside_most',
          'Requests that may be worked on at once.',
          gauges.insideMost,
        ),
        ...gauge(
          'miniscore_requests_waiting',
          'Requests that wait for their turn.',
          gauges.waiting,
        ),
        ...gauge(
          'miniscore_connections',
          'Connections of clients and proxies.',
          gauges.connections,
        ),
        ...gauge(
          'miniscore_database_left_alone',
          '1 while statements fail at once, because the database did not answer several.',
          Number(gauges.isDatabaseLeftAlone),
        ),
      ].join('\n'),
  }
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

function family(name: string, type: string, help: string, counts: Map<string, number>): string[] {
  const lines = [...counts].map(([series, value]) => `${name}${series} ${value}`)
  return [...head(name, type, help), ...lines]
}

function gauge(name: string, help: string, value: number): string[] {
  return [...head(name, 'gauge', help), `${name} ${value}`]
}

function histogram(name: string, route: string, { upTo, sumSeconds, count }: Durations): string[] {
  const buckets = [...BUCKETS_SECONDS.entries()].map(
    ([index, le]) => [le, upTo[index] ?? 0] as const,
  )
  return [
    ...[...buckets, ['+Inf', count] as const].map(
      ([le, value]) => `${name}_bucket${seriesOf({ route, le })} ${value}`,
    ),
    `${name}_sum${seriesOf({ route })} ${sumSeconds}`,
    `${name}_count${seriesOf({ route })} ${count}`,
  ]
}

/** Labels hold words of ours, none of which needs escaping. */
function seriesOf(labels: Labels): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`
}
