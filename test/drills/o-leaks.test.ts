import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterEach, expect, test } from 'vitest'
import { bundleFunction, functionNames } from '../../scripts/build/bundle.ts'
import { isFullDrill, reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import { type DrillWorld, startDrillWorld } from '../support/drill-world.ts'
import { createOutsideCalls, type OutsideCalls, outsideFaults } from '../support/outside-calls.ts'
import type { BrokenBuild, Patch } from '../support/patched-bundle.ts'
import { leaks } from '../support/planted-secrets.ts'
import { rating } from '../support/ratings.ts'

const ROUNDS = isFullDrill ? 12 : 3

let world: DrillWorld | undefined
let outside: OutsideCalls | undefined
afterEach(async () => {
  await outside?.close()
  await world?.close()
  world = undefined
})

interface Said {
  /** May be in no log line. */
  unlogged: Record<string, string>
  /** May be in no answer. */
  unanswered: Record<string, string>
  /** May be in no bundle. */
  unbundled: Record<string, string>
  answers: string[]
  problems: number
  logLines: string[]
}

/** A life of several people, once undisturbed and then with a fault at every request to the outside. */
async function live(patches: readonly Patch[] = [], rounds = ROUNDS): Promise<Said> {
  const calls = createOutsideCalls()
  outside = calls
  const started = await startDrillWorld({
    patches,
    between: calls.between,
    environment: { LIMITS: 'user:20/60,address:500/60' },
  })
  world = started
  const { environment, wechat } = started
  let instance = started.instance()
  const of = (name: string): string => environment[name] ?? ''
  const kept: Record<string, string> = {
    tokenKey: of('TOKEN_KEYS').split(':')[1] ?? '',
    sealingKey: of('SEALING_KEYS').split(':')[1] ?? '',
    lookupKey: of('LOOKUP_KEY'),
    appSecret: of('WECHAT_SECRET'),
    databasePassword: new URL(of('DATABASE_URL')).password,
  }
  const unlogged: Record<string, string> = { ...kept }
  const unanswered: Record<string, string> = { ...kept }
  const answers: string[] = []
  let problems = 0
  const call: DrillWorld['call'] = async (route, options) => {
    const answer = await instance.call(route, { timeLimitMs: 700, ...options })
    answers.push(answer.bytes)
    if (answer.status >= 400) problems++
    return answer
  }

  for (let round = 0; round < rounds; round++) {
    // The one before leaves the outside alone after so many faults.
    instance = started.instance()
    const openid = `oCanary${randomBytes(10).toString('hex')}`
    const sessionKey = randomBytes(16).toString('base64')
    const phone = `186${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`
    const acc_nbr = `187${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`
    const text = `canary ${randomBytes(8).toString('hex')} 文字`
    const proof = randomBytes(24).toString('base64url')
    const { code } = await started.code(openid)
    wechat.addFault({
      kind: 'raw',
      path: '/sns/jscode2session',
      body: JSON.stringify({ openid, session_key: sessionKey }),
    })
    const body = { code, device: `device-${round}` }
    // However busy this machine is: what follows needs its token.
    const login = await call('POST /login', { body, timeLimitMs: 10_000 })
    const { token, refreshToken } = login.body
    const phoneCode = wechat.issuePhoneCode({ openid, phone }).code
    const forged = wechat.userData({ openid })
    Object.assign(unanswered, {
      [`sessionKey${round}`]: sessionKey,
      [`openid${round}`]: openid,
      [`phone${round}`]: phone,
    })
    Object.assign(unlogged, unanswered, {
      [`token${round}`]: token,
      [`refreshToken${round}`]: refreshToken,
      [`code${round}`]: code,
      [`phoneCode${round}`]: phoneCode,
      [`proof${round}`]: proof,
      [`text${round}`]: text,
      [`account${round}`]: acc_nbr,
      [`encryptedData${round}`]: forged.encryptedData,
    })
    const said = async () => {
      await call('POST /score', { token, body: rating({ acc_nbr, txt1: text }) })
      await call('POST /score', { token, body: rating({ acc_nbr, [phone]: text }) })
      await call('POST /score', { token: `${token}x`, body: rating({ txt1: text }) })
      await call('POST /score', { token, body: `{"acc_nbr":"${acc_nbr}","txt1":"${text}` })
      await call('POST /query', { token, body: { acc_nbr } })
      await call('POST /query/summary', { token, body: { acc_nbr } })
      await call('POST /query', { token, query: { acc_nbr }, body: { acc_nbr, cursor: phone } })
      await call('POST /login/user-data', { token, body: forged })
      await call('POST /login/phone', { token, body: { code: phoneCode } })
      await call('POST /login', { body: { code, device: 'other' } })
      await call('GET /login/devices', { token, headers: { 'x-session-proof': proof } })
      await call(`DELETE /login/devices/${phone}`, { token })
      await call('POST /login/refresh', { body: { refreshToken: `${refreshToken}x` } })
    }
    await said()
    // Whatever breaks, and wherever: what the error holds is not passed on.
    for (const by of outsideFaults) {
      for (let at = 1; at <= 3; at++) {
        calls.begin({ at, by })
        await call('POST /score', { token, body: rating({ acc_nbr, txt1: text }) })
        calls.begin({ at, by })
        const fresh = await started.code(openid)
        unlogged[`code${round}-${by}-${at}`] = fresh.code
        await call('POST /login', { body: { code: fresh.code } })
      }
    }
    calls.begin()
    // Beyond the limit.
    for (let count = 0; count < 25; count++) await call('GET /score', { token })
    if (round === rounds - 1) {
      // A database that refuses says so with the statement and its values.
      await started.db.query('drop table ratings')
      instance = started.instance()
      await call('POST /score', { token, body: rating({ acc_nbr, txt1: text }) })
    }
    await call('DELETE /login/me', { token, body: { code: (await started.code(openid)).code } })
  }
  return {
    unlogged,
    unanswered,
    unbundled: unlogged,
    answers,
    problems,
    logLines: started.logLines,
  }
}

async function found(said: Said, bundles: readonly string[] = []): Promise<string[]> {
  return [
    ...leaks(said.unlogged, said.logLines).map((name) => `${name} in the log`),
    ...leaks(said.unanswered, said.answers).map((name) => `${name} in an answer`),
    ...leaks(said.unbundled, bundles).map((name) => `${name} in a bundle`),
  ]
}

test('no secret, token, code, number, openid or text is where it does not belong', async () => {
  const said = await live()
  const bundles: string[] = []
  for (const name of functionNames) {
    const options = { storeDoor: 'planetscale', outdir: 'dist/leaks', sourcemap: true } as const
    const { file } = await bundleFunction(name, options)
    bundles.push(await readFile(file, 'utf8'), await readFile(`${file}.map`, 'utf8'))
  }
  const hits = await found(said, bundles)
  const canaries = Object.keys(said.unlogged).length
  const figures = {
    canaries,
    answers: said.answers.length,
    problems: said.problems,
    lines: said.logLines.length,
    bundles: bundles.length,
    hits: hits.length,
  }
  await reportDrill({ drill: 'O', figures, passed: hits.length === 0 })
  expect(hits).toEqual([])
  expect(canaries).toBeGreaterThan(ROUNDS * 25)
  expect(said.problems).toBeGreaterThan(ROUNDS * 20)
  expect(said.logLines.length).toBeGreaterThan(said.answers.length)

  // What is planted is found, in every place.
  for (const [name, secret] of Object.entries(said.unlogged)) {
    if (secret.length <= 6) throw new Error(`${name} is too short to be told from others`)
    expect(leaks({ [name]: secret }, [`{"note":"${secret}"}`])).toEqual([name])
  }
}, 300_000)

const broken: readonly BrokenBuild[] = [
  {
    name: 'the redaction of what went wrong',
    patches: [
      {
        file: 'shared/log.ts',
        find: 'message: globalThis.IS_LOCAL_RUN ? cause.message : undefined,',
        put: 'message: cause.message,',
      },
      {
        file: 'shared/store/planetscale.ts',
        find: 'return refusalFrom(error.body.message, outcomeWhenLost)',
        put: 'return Object.assign(refusalFrom(error.body.message, outcomeWhenLost), { message: error.message })',
      },
    ],
  },
  {
    name: 'the mask of a phone number',
    patches: [
      {
        file: 'functions/login/phone.ts',
        find: 'return { output: { phone: maskPhoneNumber(number) } }\n  },\n})',
        put: 'return { output: { phone: number } }\n  },\n})',
      },
    ],
  },
  {
    name: 'the allow-list of log lines',
    patches: [
      {
        file: 'shared/log.ts',
        find: 'level: event.level,',
        put: '...event, level: event.level,',
      },
      {
        file: 'shared/transport/serve.ts',
        find: 'const found = findEndpoint(endpoints, call)',
        put: 'const found = findEndpoint(endpoints, call); Object.assign(line, { token: call.token })',
      },
    ],
  },
  {
    name: 'the allow-list of field names in problems',
    patches: [
      {
        file: 'shared/endpoint.ts',
        find: 'FIELD_NAME.test(key) ? { field: key } : {}',
        put: '{ field: key }',
      },
    ],
  },
]

test.each(broken)(
  'a build without $name is found',
  async ({ name, patches }) => {
    const hits = await found(await live(patches, 1))
    await reportBrokenVariant({ drill: 'O', variant: name, caught: hits.length > 0 })
    expect(hits).not.toEqual([])
  },
  120_000,
)
