/**
 * The forget-me drill: people who leave while a second device of theirs submits and somebody logs in as them. All
 * endpoints, over a database whose statements take a moment, so that calls overlap at every point; what is left of a
 * person is looked for in every column of every table.
 */

import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { devices } from '../../functions/login/devices.ts'
import { forgetMe } from '../../functions/login/forget-me.ts'
import { login } from '../../functions/login/login.ts'
import { phone } from '../../functions/login/phone.ts'
import { userData } from '../../functions/login/user-data.ts'
import { submitScore } from '../../functions/submit-score/submit-score.ts'
import { createLimiter } from '../../shared/limits/limiter.ts'
import type { WeChat } from '../../shared/ports.ts'
import { createForgetting, SECOND_LOOK_DELAY_MS } from '../../shared/session/forgetting.ts'
import { createLookup } from '../../shared/session/lookup.ts'
import { createPlatformSessions } from '../../shared/session/platform-sessions.ts'
import { createPseudonyms } from '../../shared/session/pseudonym.ts'
import { createSessions } from '../../shared/session/sessions.ts'
import { createTokenSigner, createTokenVerifier } from '../../shared/session/token.ts'
import { createVault } from '../../shared/session/vault.ts'
import { createAudit } from '../../shared/store/audit.ts'
import { createCodeClaimStore } from '../../shared/store/code-claims.ts'
import { createCounterStore } from '../../shared/store/counters.ts'
import type { Db, SqlRow } from '../../shared/store/db.ts'
import { createPersonStore } from '../../shared/store/people.ts'
import { createRatingEraser } from '../../shared/store/rating-erasure.ts'
import { createRatingStore } from '../../shared/store/ratings.ts'
import { uuidToBytes } from '../../shared/store/rows.ts'
import { createSessionStore } from '../../shared/store/sessions.ts'
import { serve } from '../../shared/transport/serve.ts'
import { machine } from '../../shared/wiring/clock.ts'
import { allowedOrigins, compresses, type Part, part } from '../../shared/wiring/compose.ts'
import { call } from './http-events.ts'
import { openAuthority } from './open-authority.ts'
import { rating } from './ratings.ts'

/** People who leave at the same time. */
const AT_ONCE = 25
/** Statements take up to this longer than they do. */
const SLOWER_MS = 6
const APPID = 'wxdrill'
/** Every table that knows people. */
const TABLES = [
  'ratings',
  'users',
  'sessions',
  'identities',
  'phone_holders',
  'code_claims',
  'counters',
  'audit_events',
] as const

/** A server that is broken in one way. */
export interface BrokenServer {
  /** Statements that are not sent. */
  leavesOut?: RegExp
  /** Removes first and ends sessions then. */
  isLate?: boolean
  /** Nobody looks a second time. */
  looksOnce?: boolean
}

export interface ForgetMeResult {
  runs: number
  /** Rows that name somebody who left, by table, when all was done. */
  left: Partial<Record<(typeof TABLES)[number], number>>
  /** Rows that calls under way wrote after the first look: the drill is one while there are some. */
  stragglers: number
  /** Ratings that second devices submitted, and submissions that were refused because the person had left. */
  submitted: number
  refused: number
  /** Logins meanwhile. */
  logins: number
  /** Answers that nobody should get. */
  unexpected: string[]
}

/** Lets `runs` people leave. `connections` lead to one migrated database; what it holds of people is emptied. */
export async function runForgetMeDrill(
  connections: readonly [Db, ...Db[]],
  runs: number,
  broken: BrokenServer = {},
): Promise<ForgetMeResult> {
  const [db] = connections
  const result: ForgetMeResult = {
    runs,
    left: {},
    stragglers: 0,
    submitted: 0,
    refused: 0,
    logins: 0,
    unexpected: [],
  }
  for (let done = 0; done < runs; done += AT_ONCE) {
    for (const table of TABLES) await db.query(`delete from ${table}`)
    // Every second lot leaves their ratings behind, without themselves.
    const keepsRatings = (done / AT_ONCE) % 2 === 1
    const server = startServer(connections, { ...broken, keepsRatings })
    const leavers = await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, runs - done) }, (_, index) =>
        leave(server, done + index, result),
      ),
    )
    const before = await rowsThatName(db, leavers)
    // Their own rows, which say that they left, are to be there still.
    result.stragglers += sum(before) - (before.users ?? 0)
    if (!broken.looksOnce) await server.finish()
    for (const [table, count] of Object.entries(await rowsThatName(db, leavers))) {
      const name = table as (typeof TABLES)[number]
      result.left[name] = (result.left[name] ?? 0) + count
    }
  }
  return result
}

type Server = ReturnType<typeof startServer>

/** A submission whose session lived, and whose statement is on its way for longer than leaving takes. */
class LateRating {
  #isTaken = false
  #arrive: () => void = () => {}
  readonly #arrival = new Promise<void>((resolve) => {
    this.#arrive = resolve
  })

  wait(): Promise<void> | undefined {
    if (this.#isTaken) return undefined
    this.#isTaken = true
    return this.#arrival
  }

  arrive(): void {
    this.#isTaken = true
    this.#arrive()
  }
}

function startServer(
  connections: readonly [Db, ...Db[]],
  { leavesOut, isLate = false, keepsRatings }: BrokenServer & { keepsRatings: boolean },
) {
  /** By the bytes of a user id: how the first rating of somebody who is about to leave arrives when they have left. */
  const late = new Map<string, LateRating>()
  let used = 0
  const anyDb = (): Db => connections[used++ % connections.length] ?? connections[0]
  const slow: Db = {
    async query(sql, parameters) {
      if (leavesOut?.test(sql.trim())) return { rows: [], rowsAffected: 1 }
      if (sql.startsWith('insert into ratings')) await late.get(`${parameters?.[2]}`)?.wait()
      await pause(Math.random() * SLOWER_MS)
      return anyDb().query(sql, parameters)
    },
    transaction: (work) => anyDb().transaction(work),
    close: async () => {},
  }
  const { now } = machine
  const key = { kid: 'k1', secret: randomBytes(32) }
  const tokenOptions = {
    keys: [key],
    issuer: 'miniscore',
    audience: APPID,
    lifetimeSeconds: 900,
    clockToleranceSeconds: 60,
    now,
  }
  const people = createPersonStore(slow)
  const ratings = createRatingStore(slow, now)
  const store = createSessionStore(slow)
  const counters = createCounterStore(slow, key.secret)
  const forgettingOf = (atMs: () => number) =>
    createForgetting({
      people,
      ratings: createRatingEraser(slow),
      forgottenRatings: keepsRatings ? 'keep-anonymous' : 'delete',
      now: atMs,
      steadyMs: machine.steadyMs,
      lastFinish: { atMs: Number.POSITIVE_INFINITY },
    })
  const forgetting = forgettingOf(now)
  // By its clock the longest call is over.
  const later = forgettingOf(() => now() + SECOND_LOOK_DELAY_MS + 1)
  // So low that every request is counted in the store at once.
  const limit = { requests: 79, windowMs: 60_000 }
  const needs = {
    appid: APPID,
    clock: { now },
    wechat: drillWeChat,
    tokens: createTokenVerifier(tokenOptions),
    sessions: createSessions({
      store,
      tokens: createTokenSigner(tokenOptions),
      keys: [key],
      now,
      maxAgeMs: 180 * 24 * 60 * 60 * 1000,
    }),
    sessionStore: store,
    operators: new Set<string>(),
    // Nobody's address is known here: all of them together are one.
    limiter: createLimiter({
      counters,
      user: limit,
      address: { ...limit, requests: 1_000_000 },
      now,
      random: Math.random,
    }),
    platformSessions: createPlatformSessions({ appid: APPID, people, store, now }),
    people,
    submissions: ratings,
    // The look at the session comes before, so that a person can leave in between.
    isSharded: true,
    counters,
    audit: createAudit(slow, createPseudonyms({ key: key.secret })),
    codeClaims: createCodeClaimStore(slow),
    vault: createVault({ keys: [{ kid: 's1', bytes: randomBytes(32) }] }),
    lookup: createLookup({ key: randomBytes(32) }),
    forgetting: isLate
      ? {
          ...forgetting,
          async forget(userId: string) {
            await createRatingEraser(slow).forgetAuthor(userId, 'delete')
            await people.leave(userId, now())
            await people.erase(userId)
            await people.eraseLast(userId)
            return true
          },
        }
      : forgetting,
  }
  const parts = Object.fromEntries(
    Object.entries(needs).map(([name, need]) => [name, part([], () => need)]),
  ) as { [Name in keyof typeof needs]: Part<(typeof needs)[Name]> }
  const handler = serve({
    functionName: 'drill',
    parts: { ...parts, allowedOrigins, compresses, pseudonyms: openAuthority.pseudonyms },
    endpoints: [login, phone, userData, devices, forgetMe, submitScore],
    env: {},
    log: { write: () => {} },
  })
  return { handler, late, finish: () => later.finish() }
}

/** A code says whose it is: `o…` of a person, digits of a number. */
const drillWeChat: WeChat = {
  exchangeCode: async (code) => ({
    openid: code.split(':')[0] ?? '',
    sessionKey: randomBytes(16).toString('base64'),
    unionid: `u${code.split(':')[0]}`,
  }),
  exchangePhoneCode: async (code) => ({
    purePhoneNumber: code.split(':')[0] ?? '',
    countryCode: '86',
  }),
}

interface Leaver {
  userId: string
  openid: string
}

let codes = 0
function codeOf(what: string): string {
  return `${what}:${codes++}`
}

/** One person: known in every table, then leaving while a second device goes on. */
async function leave(
  { handler, late }: Server,
  run: number,
  result: ForgetMeResult,
): Promise<Leaver> {
  const openid = `o${randomBytes(13).toString('hex')}`
  const [earlier, taken, later] = ['13', '15', '18'].map(
    (start) => start + String(run).padStart(9, '0'),
  )
  const send = (route: string, options: Parameters<typeof call>[2]) =>
    call(handler.http, route, options)
  const logIn = async (who: string, device?: string) => {
    const { status, body } = await send('POST /login', { body: { code: codeOf(who), device } })
    if (status !== 200) throw new Error(`login answered ${status} ${body.code}`)
    return { token: body.token as string, userId: body.user.id as string }
  }
  const prove = (token: string, number: string | undefined, who: string) => {
    const body = { code: codeOf(number ?? ''), loginCode: codeOf(who) }
    return send('POST /login/phone', { token, body })
  }

  const first = await logIn(openid, 'first')
  const second = await logIn(openid, 'second')
  for (const number of [earlier, taken]) await prove(first.token, number, openid)
  const other = `o${randomBytes(13).toString('hex')}`
  await prove((await logIn(other)).token, taken, other)
  await send('POST /login/user-data', {
    token: first.token,
    body: { encryptedData: 'AAAA', iv: 'AA' },
  })

  const lateRating = new LateRating()
  late.set(`${uuidToBytes(first.userId)}`, lateRating)
  let isOver = false
  const submitting = async () => {
    while (!isOver) {
      const acc_nbr = `${10_000 + Math.floor(Math.random() * 5)}`
      const { status, body } = await send('POST /score', {
        token: second.token,
        body: rating({ acc_nbr }),
      })
      if (status === 201) result.submitted++
      else if (status === 401) result.refused++
      else result.unexpected.push(`POST /score: ${status} ${body.code}`)
      if (status === 401) return
    }
  }
  const loggingIn = async () => {
    await pause(Math.random() * 40)
    result.logins++
    if (run % 3 === 0) {
      const environment = JSON.stringify({ WX_OPENID: openid, WX_APPID: APPID })
      const reply = await handler({ route: 'POST /score', body: rating() }, { environment })
      const status = 'status' in reply ? reply.status : reply.statusCode
      if (status !== 201 && status !== 401) result.unexpected.push(`function call: ${status}`)
      return
    }
    const body = { code: codeOf(openid), device: 'third' }
    const answer = await send('POST /login', { body })
    if (answer.status !== 200) {
      result.unexpected.push(`POST /login: ${answer.status} ${answer.body.code}`)
      return
    }
    const { token } = answer.body
    await prove(token, later, openid)
    await send('POST /score', { token, body: rating() })
  }
  const leaving = async () => {
    await pause(Math.random() * 40)
    const { status, body } = await send('DELETE /login/me', {
      token: first.token,
      body: { code: codeOf(openid) },
    })
    if (status !== 204) result.unexpected.push(`DELETE /login/me: ${status} ${body.code}`)
    lateRating.arrive()
  }
  const others = [submitting(), submitting(), loggingIn()]
  await leaving()
  // Whoever submits meets the end by itself; a server that lets them go on is not waited for.
  await pause(40)
  isOver = true
  await Promise.all(others)
  return { userId: first.userId, openid }
}

/** How many rows of each table name one of the people. Their openid alone is that of whoever logged in since. */
async function rowsThatName(
  db: Db,
  leavers: readonly Leaver[],
): Promise<Partial<Record<(typeof TABLES)[number], number>>> {
  const found: Partial<Record<(typeof TABLES)[number], number>> = {}
  const ids = leavers.flatMap(({ userId }) => [
    userId,
    Buffer.from(uuidToBytes(userId)).toString('hex'),
  ])
  const openids = leavers.map(({ openid }) => openid)
  for (const table of TABLES) {
    const { rows } = await db.query(`select * from ${table}`)
    const names = (row: SqlRow): boolean =>
      Object.entries(row).some(([column, value]) => {
        const text = value instanceof Uint8Array ? Buffer.from(value).toString('hex') : `${value}`
        const isOwn = /^(?:openid|unionid)$/.test(column)
        return (isOwn ? ids : [...ids, ...openids]).some((id) => text.includes(id))
      })
    const count = rows.filter(names).length
    if (count > 0) found[table] = count
  }
  return found
}

function sum(counts: Partial<Record<string, number>>): number {
  return Object.values(counts).reduce<number>((total, count = 0) => total + count, 0)
}
