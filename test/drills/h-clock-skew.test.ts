import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { createTokenSigner } from '../../shared/session/token.ts'
import { ask } from '../support/drill-client.ts'
import { isFoundOut, isFullDrill, reportDrill } from '../support/drill-report.ts'
import { type LoggedInScene, logInOn, signingKeyOf } from '../support/drill-session.ts'
import { bundlePatched, type Patch } from '../support/drill-variant.ts'
import { rating } from '../support/ratings.ts'
import { describeOnServers } from '../support/server-suites.ts'
import { openWebFunctions, type WebFunctions, type WebProcess } from '../support/web-functions.ts'

const REPEATS = isFullDrill ? 50 : 5
const LIFETIME_SECONDS = 900
/** What the functions tolerate. */
const TOLERANCE_SECONDS = 60
const HOUR_SECONDS = 3600
/** Half a minute to either side is taken; a request takes its time as well. */
const TIME_OFF_MAX_MS = 33_000

interface Instances {
  functions: WebFunctions
  /** By how many seconds their clocks are off. */
  urls: ReadonlyMap<number, string>
  middle: WebProcess
}

interface ClockScore {
  /** Tokens of an instance half a minute off that were refused by another. */
  falseRefusals: number
  /** Tokens from too far in the future, or too old, that were taken. */
  falseAcceptances: number
  /** Whether a clock an hour ahead refuses what is not of its time, and all is well when it is back. */
  jumpIsHarmless: boolean
  /** How far the time of a stored rating was from when it was sent, whatever the instance's clock said. */
  timeOffMs: number
  asked: number
}

describeOnServers('instances whose clocks differ', (suite) => {
  let scene: LoggedInScene
  let sound: Instances
  beforeAll(async () => {
    scene = await logInOn(await suite.freshDatabase())
    sound = await startInstances(scene)
  })
  afterAll(() => sound?.functions.close())

  test('take each other’s tokens half a minute off, none beyond a minute, and give ratings the right time', async () => {
    const score = await scoreClocks(scene, sound, REPEATS)
    await reportDrill({
      drill: 'H',
      on: suite.kind,
      figures: { ...score, jumpIsHarmless: `${score.jumpIsHarmless}` },
      passed: isSound(score),
    })
    expect(score).toMatchObject({
      falseRefusals: 0,
      falseAcceptances: 0,
      jumpIsHarmless: true,
    })
    expect(score.timeOffMs).toBeLessThan(TIME_OFF_MAX_MS)
  })

  describe('the drill finds instances that', () => {
    const tolerance = (seconds: string): Patch => ({
      file: 'shared/wiring/compose.ts',
      from: 'clockToleranceSeconds: 60',
      to: `clockToleranceSeconds: ${seconds}`,
    })
    test.each<[what: string, patch: Patch]>([
      ['tolerate nothing', tolerance('0')],
      ['tolerate a day', tolerance('86_400')],
      [
        'date ratings by their own clocks',
        {
          file: 'shared/store/rating-turns.ts',
          from: 'TIME_TOLERANCE_MS = 30_000',
          to: 'TIME_TOLERANCE_MS = 864e5',
        },
      ],
    ])('%s', async (what, patch) => {
      const isWrong = async (): Promise<boolean> => {
        const broken = await startInstances(scene, patch)
        try {
          return !isSound(await scoreClocks(scene, broken, 1))
        } finally {
          await broken.functions.close()
        }
      }
      expect(await isFoundOut({ drill: 'H', on: suite.kind, variant: what }, isWrong)).toBe(true)
    })
  })
})

const SKEWS_SECONDS = [-90, -30, 0, 30, 90]

async function startInstances({ environment }: LoggedInScene, patch?: Patch): Promise<Instances> {
  const functions = await openWebFunctions(
    environment,
    'mysql',
    ...(patch ? [bundlePatched([patch])] : []),
  )
  const clock = path.join(projectFolder, 'test/support/skewed-clock.cjs')
  const processes = await Promise.all(
    SKEWS_SECONDS.map((skew) =>
      functions.start('submit-score', {
        NODE_OPTIONS: `--require ${clock}`,
        CLOCK_SKEW_MS: `${skew * 1000}`,
        ACCESS_TOKEN_SECONDS: `${LIFETIME_SECONDS}`,
      }),
    ),
  )
  const urls = new Map<number, string>()
  for (const [index, skew] of SKEWS_SECONDS.entries()) {
    urls.set(skew, (await processes[index]?.url) ?? '')
  }
  const middle = processes[SKEWS_SECONDS.indexOf(0)]
  if (!middle) throw new Error('no instance is on time')
  return { functions, urls, middle }
}

async function scoreClocks(
  scene: LoggedInScene,
  { urls, middle }: Instances,
  repeats: number,
): Promise<ClockScore> {
  const score = { falseRefusals: 0, falseAcceptances: 0, asked: 0 }
  /** A token as a login on a clock so many seconds off gives it. */
  const tokenOf = async (skewSeconds: number): Promise<string> => {
    const signer = createTokenSigner({
      keys: [signingKeyOf(scene.environment)],
      issuer: 'miniscore',
      audience: scene.environment.WECHAT_APPID ?? '',
      lifetimeSeconds: LIFETIME_SECONDS,
      clockToleranceSeconds: TOLERANCE_SECONDS,
      now: () => Date.now() + skewSeconds * 1000,
    })
    return (await signer.sign(scene)).token
  }
  const isTaken = async (skew: number, token: string): Promise<boolean> => {
    score.asked++
    const { status } = await ask(urls.get(skew) ?? '', 'GET /score', { token })
    if (status !== 200 && status !== 401) throw new Error(`answered ${status}`)
    return status === 200
  }

  for (let round = 0; round < repeats; round++) {
    for (const skew of SKEWS_SECONDS) {
      for (const issuer of SKEWS_SECONDS) {
        const aheadSeconds = issuer - skew
        const taken = await isTaken(skew, await tokenOf(issuer))
        const isNear = Math.abs(skew) <= 30 && Math.abs(issuer) <= 30
        if (isNear && !taken) score.falseRefusals++
        // The second in which it is asked may be the next one.
        if (aheadSeconds > TOLERANCE_SECONDS + 2 && taken) score.falseAcceptances++
      }
      const expired = await tokenOf(skew - LIFETIME_SECONDS - TOLERANCE_SECONDS - 1)
      if (await isTaken(skew, expired)) score.falseAcceptances++
    }
  }
  const [jumpIsHarmless, sent] = await tryJump(urls, middle, tokenOf)
  const { body } = await ask(urls.get(0) ?? '', 'GET /score?limit=100', { token: await tokenOf(0) })
  const stored: { txt1: string; insert_time: string }[] = body?.items ?? []
  const offs = [...sent].map(([txt1, sentMs]) => {
    const found = stored.find((each) => each.txt1 === txt1)
    return found ? Math.abs(Date.parse(found.insert_time) - sentMs) : Number.POSITIVE_INFINITY
  })
  return { ...score, jumpIsHarmless, timeOffMs: Math.max(...offs) }
}

/** Ratings on every clock in turn, one of them an hour ahead for a while. */
async function tryJump(
  urls: ReadonlyMap<number, string>,
  middle: WebProcess,
  tokenOf: (skewSeconds: number) => Promise<string>,
): Promise<[isHarmless: boolean, sentMs: ReadonlyMap<string, number>]> {
  const sentMs = new Map<string, number>()
  const submit = async (skew: number, aheadSeconds = 0): Promise<number> => {
    const txt1 = randomUUID()
    sentMs.set(txt1, Date.now())
    const { status } = await ask(urls.get(skew) ?? '', 'POST /score', {
      token: await tokenOf(skew + aheadSeconds),
      body: rating({ txt1 }),
    })
    return status
  }
  const earlier = await tokenOf(0)
  const isRefused = async (): Promise<boolean> =>
    (await ask(urls.get(0) ?? '', 'GET /score', { token: earlier })).status === 401
  const before = [await submit(90), await submit(0), await submit(-90)]
  const jump = async (pattern: RegExp): Promise<boolean> => {
    const earlierOutput = middle.output().length
    middle.signal('SIGUSR2')
    await expect.poll(() => middle.output().slice(earlierOutput)).toMatch(pattern)
    return isRefused()
  }
  const refusedAhead = await jump(/an hour ahead/)
  const ahead = [await submit(0, HOUR_SECONDS), await submit(-30)]
  const refusedAfter = await jump(/back in time/)
  const after = [await submit(0), await submit(30), await submit(-90)]
  const allStored = [...before, ...ahead, ...after].every((status) => status === 201)
  return [allStored && refusedAhead && !refusedAfter, sentMs]
}

function isSound({
  falseRefusals,
  falseAcceptances,
  jumpIsHarmless,
  timeOffMs,
}: ClockScore): boolean {
  return (
    falseRefusals === 0 && falseAcceptances === 0 && jumpIsHarmless && timeOffMs < TIME_OFF_MAX_MS
  )
}
