import { afterEach, describe, expect, test } from 'vitest'
import { isFullDrill, reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import { type DrillWorld, startDrillWorld } from '../support/drill-world.ts'
import {
  ADDRESS_LIMIT,
  type LimitsResult,
  runLimitsDrill,
  USER_LIMIT,
} from '../support/limits-drill.ts'
import { createOutsideCalls } from '../support/outside-calls.ts'
import type { BrokenBuild, Patch } from '../support/patched-bundle.ts'

const LIMITS = `user:${USER_LIMIT}/60,address:${ADDRESS_LIMIT}/60`
/** Those of the people who log in before; the drill's own are on three other instances. */
const HONEST = isFullDrill ? 500 : 60

let world: DrillWorld | undefined
afterEach(() => world?.close())

async function drill(patches: readonly Patch[] = [], honestPeople = HONEST): Promise<LimitsResult> {
  // People log in without limits; the instances of the drill have them.
  const started = await startDrillWorld({ patches })
  world = started
  const instances = [1, 2, 3].map(() => started.instance({ environment: { LIMITS } }))
  return runLimitsDrill(started, { instances, honestPeople })
}

function brokenPromises(result: LimitsResult): string[] {
  const promises: [string, boolean][] = [
    ['a person within a tenth of the limit', result.userAdmitted <= USER_LIMIT * 1.1],
    ['an address within a tenth of the limit', result.addressAdmitted <= ADDRESS_LIMIT * 1.1],
    // Requests at once may count each other; a limiter that lets nobody in is none.
    ['a person let in at all', result.userAdmitted >= USER_LIMIT / 2],
    ['an address let in at all', result.addressAdmitted >= ADDRESS_LIMIT / 2],
    ['honest people undisturbed', result.honestRefused === 0],
    ['refusals that say when to come back', result.withoutRetryAfter === 0],
  ]
  return promises.filter(([, isKept]) => !isKept).map(([name]) => name)
}

/** What a login and a reading are answered by an instance whose database has gone. */
async function withoutStore(patches: readonly Patch[] = []) {
  const outside = createOutsideCalls()
  const started = await startDrillWorld({
    patches,
    between: async (what, url) => (what === 'database' ? outside.between(what, url) : url),
  })
  world = started
  const { token } = await started.logIn()
  const instance = started.instance({ environment: { LIMITS } })
  await outside.close()
  const { code } = await started.code()
  const login = await instance.call('POST /login', { body: { code } })
  const reading = await instance.call('GET /score', { token })
  const asked = started.wechat.requests().length
  return { login: login.status, loginCode: login.body?.code, reading: reading.status, asked }
}

describe('at ten times the limit, over three instances', () => {
  test('no more is let in than a tenth beyond it, and honest people notice nothing', async () => {
    const result = await drill()
    const store = await withoutStore()
    const wrong = brokenPromises(result)
    const isClosed = store.login === 503 && store.loginCode === 'store-unavailable'
    const { userAdmitted, addressAdmitted, honest, honestRefused } = result
    const figures = {
      user: `${userAdmitted}/${USER_LIMIT}`,
      address: `${addressAdmitted}/${ADDRESS_LIMIT}`,
      honest,
      refused: honestRefused,
      loginWithoutStore: store.login,
      readingWithoutStore: store.reading,
    }
    await reportDrill({ drill: 'R', figures, passed: wrong.length === 0 && isClosed })
    expect(wrong).toEqual([])
    // Closed, and no code is used up.
    expect(store).toMatchObject({ login: 503, loginCode: 'store-unavailable', reading: 503 })
  })
})

const broken: readonly BrokenBuild[] = [
  {
    name: 'counting over all instances',
    patches: [
      {
        file: 'shared/limits/limiter.ts',
        find: 'const counting = counters.increment(key, { lengthMs: windowMs, atMs }, batch)',
        put: 'const counting = Promise.resolve(0)',
      },
    ],
  },
  {
    name: 'a key of each person',
    patches: [
      {
        file: 'shared/limits/limiter.ts',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source that is looked for
        find: '`${kind.charAt(0)}:${id}:${route}`',
        put: "kind + ':' + route",
      },
    ],
  },
  {
    name: 'the limit of an address',
    patches: [
      {
        file: 'shared/authority.ts',
        find: "await limiter.admit({ kind: 'address', id: subscriberOf(ip), route })",
        put: 'void subscriberOf(ip)',
      },
    ],
  },
  {
    name: 'the moment to come back',
    patches: [
      {
        file: 'shared/limits/limiter.ts',
        find: `if (tally.others + tally.sent + tally.unsent >= requests) {
        throw new Problem('too-many-requests', { retryAfterSeconds })`,
        put: `if (tally.others + tally.sent + tally.unsent >= requests) {
        throw new Problem('too-many-requests')`,
      },
    ],
  },
]

test.each(broken)('a build without $name is found', async ({ name, patches }) => {
  const wrong = brokenPromises(await drill(patches, 20))
  await reportBrokenVariant({ drill: 'R', variant: name, caught: wrong.length > 0 })
  expect(wrong).not.toEqual([])
})

test('a build that lets logins in uncounted when the store is down is found', async () => {
  const store = await withoutStore([
    {
      file: 'shared/limits/limiter.ts',
      find: "const count = kind === 'address' ? await counting : await counting.catch(() => 0)",
      put: 'const count = await counting.catch(() => 0)',
    },
    {
      file: 'functions/login/code-claim.ts',
      find: 'const earlier = await claim()',
      put: 'const earlier = await claim().catch(() => undefined)',
    },
  ])
  const caught = store.asked > 1
  await reportBrokenVariant({ drill: 'R', variant: 'closed logins without a store', caught })
  expect(caught).toBe(true)
})
