/** What the observations of one run share: the cloud, the way to the public addresses, and what was found so far. */
import { setTimeout as delay } from 'node:timers/promises'
import { CommandProblem } from '../../cli/problem.ts'
import type { CloudClient } from '../cloud/client.ts'
import { lookUntil } from '../waiting.ts'
import type { Findings, ReportLine } from './lines.ts'
import type { CallPublic, PublicAnswer } from './public-call.ts'

/** What the echo tells of a call. */
export interface Echoed {
  code: string
  instance: string
  calls: number
  node: string
  platform: string
  folder: string
  codeFolder: string
  timezone: string
  variableNames: string[]
  setting: string | null
  ticksSinceLastAnswer: number
  msSinceLastAnswer: number | null
  version?: string
  event?: Record<string, unknown>
  context?: object
  path: string | null
  remainingMs?: number | null
  addresses: Record<string, string | string[]>
  headerNames?: string[]
  peer?: string
}

export interface ProbeScene {
  /** Refuses every call once the run was told to stop. */
  cloud: CloudClient
  runtime: string
  /** How long an instance is left alone to see whether its timers run on. */
  pauseMs: number
  findings: Findings
  tell: (step: string) => void
  call: CallPublic
  /** Calls the address until the echo answers, as long as the client's patience lasts. */
  ask: (
    url: URL,
    headers?: Record<string, string>,
  ) => Promise<{ echoed: Echoed; answer: PublicAnswer }>
  pause: (ms: number) => Promise<void>
  settle: (line: ReportLine, text: string, shape?: object) => void
  leave: (line: ReportLine, why: string) => void
  /** Does the work; when it fails, its lines are left with the reason, and the run goes on. */
  observe: (lines: readonly ReportLine[], work: () => Promise<void>) => Promise<void>
}

/** Told to stop; nothing more is made. */
export class Stopped extends CommandProblem {
  constructor() {
    super('It was told to stop.')
  }
}

function stoppable(cloud: CloudClient, signal: AbortSignal): CloudClient {
  const open = <T>(work: () => Promise<T>): Promise<T> =>
    signal.aborted ? Promise.reject(new Stopped()) : work()
  return {
    ...cloud,
    call: (...request) => open(() => cloud.call(...request)),
    searchLog: (request) => open(() => cloud.searchLog(request)),
    callOther: (...request) => open(() => cloud.callOther(...request)),
  }
}

function echoedIn(text: string): Echoed | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'instance' in value
      ? (value as Echoed)
      : undefined
  } catch {
    return undefined
  }
}

export function createScene({
  cloud: whole,
  call: callPublic,
  signal,
  ...given
}: {
  cloud: CloudClient
  call: CallPublic
  signal: AbortSignal
  runtime: string
  pauseMs: number
  findings: Findings
  tell: (step: string) => void
}): ProbeScene {
  const { findings } = given
  const cloud = stoppable(whole, signal)
  const call: CallPublic = (...request) =>
    signal.aborted ? Promise.reject(new Stopped()) : callPublic(...request)
  const scene: ProbeScene = {
    ...given,
    cloud,
    call,
    async ask(url, headers = {}) {
      let last = ''
      const found = await lookUntil(cloud, async () => {
        // A new address may not resolve yet.
        const answer = await call(url, { headers }).catch((error: Error) => {
          if (error instanceof Stopped) throw error
          last = error.message
          return undefined
        })
        const echoed = answer && echoedIn(answer.text)
        if (answer && !echoed) last = `HTTP ${answer.status}: ${answer.text.slice(0, 200)}`
        return answer && echoed ? { echoed, answer } : undefined
      })
      if (found) return found
      throw new CommandProblem(`no answer of the echo (${last})`)
    },
    pause: async (ms) => {
      await delay(ms, undefined, { signal }).catch(() => {
        throw new Stopped()
      })
    },
    settle: (line, text, shape) =>
      void findings.set(line, { text, settled: true, ...(shape && { shape }) }),
    leave: (line, why) => void findings.set(line, { text: why, settled: false }),
    async observe(lines, work) {
      try {
        await work()
      } catch (error) {
        if (error instanceof Stopped) throw error
        const why = error instanceof Error ? error.message : String(error)
        for (const line of lines) if (!findings.has(line)) scene.leave(line, why)
      }
    },
  }
  return scene
}
