import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, type DrillAnswer } from '../support/drill-client.ts'
import { isFoundOut, isFullDrill, reportDrill } from '../support/drill-report.ts'
import { type LoggedInScene, logInOn } from '../support/drill-session.ts'
import { bundlePatched, type Patch } from '../support/drill-variant.ts'
import { rating } from '../support/ratings.ts'
import { describeOnServers } from '../support/server-suites.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { openWebFunctions, type WebFunctions, type WebProcess } from '../support/web-functions.ts'

/** The platform freezes an instance between two requests, for as long as none comes. */
const FREEZES_MS = isFullDrill ? [5000, 30_000] : [2500]
const REQUESTS_AFTER = 100
/** As many as it has connections: more would be told that it is busy, which is another drill. */
const AT_ONCE = 4
/** Enough that all connections are open, and dead when it wakes. */
const REQUESTS_BEFORE = 24
const FIRST_ANSWER_MAX_MS = 2000
/**
 * With so many under way when it freezes, all fail at once when it wakes, and for two seconds the instance leaves the
 * database alone: requests are told to come again, and do. Without any, as between two requests, the first is answered.
 */
const UNDER_WAY = [0, 6]
const PATIENCE_MS = 5000

/** What becomes of an instance's connections while it cannot see it. */
const deaths: Readonly<Record<string, (proxy: TcpProxy) => void>> = {
  'closed by the peer': (proxy) => proxy.dropConnections('close'),
  'reset by the peer': (proxy) => proxy.dropConnections('reset'),
  'forgotten on the way': (proxy) => proxy.mode({ kind: 'blackhole' }),
}

interface FreezeScore {
  /** Of the hundred after the freeze: those that were not stored, by a client that comes again when told to. */
  failures: number
  /** And those that had to come again. */
  repeated: number
  /** What those were told. */
  refusals: string
  firstMs: number
  slowestMs: number
  /** Of what was under way when it froze: neither stored, nor told to come again, nor stored when sent again. */
  unanswered: number
  /** Rows but one for each key. */
  doubled: number
}

describeOnServers('an instance that is frozen while its connections die', (suite) => {
  let scene: LoggedInScene
  let databaseUrl: string
  let sound: WebFunctions
  beforeAll(async () => {
    databaseUrl = await suite.freshDatabase()
    scene = await logInOn(databaseUrl)
    sound = await openWebFunctions(scene.environment, 'mysql')
  })
  afterAll(() => sound?.close())

  const freeze = async (
    kill: (proxy: TcpProxy) => void,
    frozenMs: number,
    underWay: number,
    patches: readonly Patch[] = [],
  ): Promise<FreezeScore> => {
    const direct = new URL(databaseUrl)
    const proxy = await startTcpProxy({ targetPort: Number(direct.port) })
    const through = new URL(databaseUrl)
    through.port = `${proxy.port}`
    const functions =
      patches.length === 0
        ? sound
        : await openWebFunctions(scene.environment, 'mysql', bundlePatched(patches))
    const instance = await functions.start('submit-score', { DATABASE_URL: through.href })
    try {
      return await freezeInstance(instance, {
        scene,
        databaseUrl,
        proxy,
        kill,
        frozenMs,
        underWay,
      })
    } finally {
      instance.signal('SIGKILL')
      if (functions !== sound) await functions.close()
      await proxy.close()
    }
  }

  test.each(
    Object.entries(deaths).flatMap(([what, kill]) =>
      FREEZES_MS.flatMap((frozenMs) =>
        UNDER_WAY.map((underWay) => [what, frozenMs, underWay, kill] as const),
      ),
    ),
  )(
    '%s, %i ms, %i requests under way: answers the first and all others, and stores nothing twice',
    async (what, frozenMs, underWay, kill) => {
      const score = await freeze(kill, frozenMs, underWay)
      const { firstMs, slowestMs, ...figures } = score
      await reportDrill({
        drill: 'I',
        on: `${suite.kind}, ${what}, ${frozenMs} ms, ${underWay} under way`,
        figures: {
          requests: REQUESTS_AFTER,
          ...figures,
          first: `${firstMs.toFixed(0)}ms`,
          slowest: `${slowestMs.toFixed(0)}ms`,
        },
        passed: isSound(score, underWay),
      })
      expect(score).toMatchObject({ failures: 0, unanswered: 0, doubled: 0 })
      expect(isSound(score, underWay)).toBe(true)
    },
  )

  describe('the drill finds an instance that', () => {
    const forgotten = deaths['forgotten on the way'] ?? (() => {})
    const closed = deaths['closed by the peer'] ?? (() => {})
    const door = 'shared/store/mysql.ts'
    test.each<[what: string, kill: (proxy: TcpProxy) => void, ...patches: Patch[]]>([
      [
        'never asks whether a connection lives',
        forgotten,
        { file: door, from: 'PING_AFTER_IDLE_MS = 2000', to: 'PING_AFTER_IDLE_MS = 1e9' },
      ],
      [
        'asks, and waits for ever',
        forgotten,
        { file: door, from: 'PING_TIMEOUT_MS = 300\n', to: 'PING_TIMEOUT_MS = 1e9\n' },
      ],
      [
        'takes a dead connection for a living one, and tries once',
        closed,
        {
          file: door,
          from: 'if (await isAlive(kept, timeLeftMs)) return',
          to: 'return',
        },
        {
          file: door,
          from: 'if (!lease.reused || !isLostBeforeSending(error)) throw',
          to: 'throw',
        },
      ],
    ])('%s', async (what, kill, ...patches) => {
      const isWrong = async (): Promise<boolean> =>
        !isSound(await freeze(kill, 2500, 0, patches), 0)
      expect(await isFoundOut({ drill: 'I', on: suite.kind, variant: what }, isWrong)).toBe(true)
    })
  })
})

interface Freeze {
  scene: LoggedInScene
  databaseUrl: string
  proxy: TcpProxy
  kill: (proxy: TcpProxy) => void
  frozenMs: number
  underWay: number
}

async function freezeInstance(
  instance: WebProcess,
  { scene, databaseUrl, proxy, kill, frozenMs, underWay: underWayCount }: Freeze,
): Promise<FreezeScore> {
  const url = await instance.url
  const keys: string[] = []
  const acc_nbr = `${Date.now()}`
  const submit = (key: string): Promise<DrillAnswer> =>
    ask(url, 'POST /score', {
      token: scene.token,
      key,
      body: rating({ acc_nbr, txt1: key }),
      timeoutMs: frozenMs + 10_000,
    })
  const submitNew = (): Promise<DrillAnswer> => {
    const key = randomUUID()
    keys.push(key)
    return submit(key)
  }
  for (let sent = 0; sent < REQUESTS_BEFORE; sent += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, submitNew))
  }

  // Some are under way when it freezes, as under load.
  const underWay = Array.from({ length: underWayCount }, submitNew)
  const underWayKeys = keys.slice(REQUESTS_BEFORE)
  const refusals = new Set<string>()
  instance.signal('SIGSTOP')
  kill(proxy)
  await pause(frozenMs)
  instance.signal('SIGCONT')
  const wokeAt = performance.now()
  let repeated = 0
  /** A client that does as it is told. */
  const submitUntilStored = async (): Promise<DrillAnswer> => {
    const startedAt = performance.now()
    const key = randomUUID()
    keys.push(key)
    let answer = await submit(key)
    while (answer.status === 503 && performance.now() - wokeAt < PATIENCE_MS) {
      repeated++
      refusals.add(answer.body?.code)
      await pause(Number(answer.retryAfter) * 1000)
      answer = await submit(key)
    }
    return { ...answer, durationMs: performance.now() - startedAt }
  }
  const answers = [await submitUntilStored()]
  const firstMs = answers[0]?.durationMs ?? 0
  let left = REQUESTS_AFTER - 1
  const worker = async (): Promise<void> => {
    while (left-- > 0) answers.push(await submitUntilStored())
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))

  let unanswered = 0
  for (const [index, answering] of underWay.entries()) {
    const { status } = await answering
    const again = await submit(underWayKeys[index] ?? '')
    if (again.status !== 201 || (status !== 201 && status !== 503)) unanswered++
  }
  const rows = await countRows(databaseUrl, acc_nbr)
  return {
    failures: answers.filter(({ status }) => status !== 201).length,
    repeated,
    refusals: [...refusals].join(',') || 'none',
    firstMs,
    slowestMs: Math.max(...answers.map(({ durationMs }) => durationMs)),
    unanswered,
    doubled: rows - keys.length,
  }
}

async function countRows(url: string, acc_nbr: string): Promise<number> {
  const connection = await createConnection({ uri: url })
  try {
    const [rows] = await connection.query('select count(*) as n from ratings where acc_nbr = ?', [
      acc_nbr,
    ])
    return Number((rows as { n: number }[])[0]?.n)
  } finally {
    await connection.end()
  }
}

function isSound(score: FreezeScore, underWay: number): boolean {
  const { failures, repeated, firstMs, unanswered, doubled } = score
  if (failures > 0 || unanswered > 0 || doubled !== 0) return false
  return underWay > 0 ? firstMs < PATIENCE_MS : repeated === 0 && firstMs < FIRST_ANSWER_MAX_MS
}
