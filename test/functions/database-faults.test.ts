import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDb } from '../../shared/wiring/database.ts'
import { rating } from '../support/ratings.ts'
import { describeOnOwnServers } from '../support/server-suites.ts'
import { type LoggedIn, startWorld, type World } from '../support/world.ts'

/** What a client and an operator see while something is wrong with the database, and after it was mended. */
describeOnOwnServers('a broken database', (server) => {
  let world: World
  let person: LoggedIn
  let database: string
  let admin: Awaited<ReturnType<typeof openDb>>
  beforeAll(async () => {
    admin = await openDb(server().url)
    const databaseUrl = await server().createDatabase()
    // The functions' own user may read and write rows and nothing else, as in a deployment.
    const functionsUrl = new URL(databaseUrl)
    database = functionsUrl.pathname.slice(1)
    functionsUrl.username = 'functions'
    functionsUrl.password = 'first'
    await admin.query("create user functions identified by 'first'")
    await admin.query(`grant select, insert, update, delete on ${database}.* to functions`)
    world = await startWorld({ databaseUrl, environment: { DATABASE_URL: functionsUrl.href } })
    person = await world.logIn()
  })
  afterAll(async () => {
    await admin?.close()
    await world?.close()
  })

  const submit = () => world.call('POST /score', { token: person.token, body: rating() })

  /** A 503 with Retry-After, and one log line that says `what`. */
  async function isExplained(what: RegExp): Promise<void> {
    const before = world.logLines.length
    const answer = await submit()
    expect(answer).toMatchObject({
      status: 503,
      body: {
        code: 'store-unavailable',
        retry: 'later',
        message: '数据服务暂时不可用，请稍后再试',
      },
    })
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    const lines = world.logLines.slice(before)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(what)
    expect(lines[0]).not.toContain('13800138000')
  }
  /** The instance that met the fault works again; a breaker may have to let go first. */
  const recovers = () => expect.poll(async () => (await submit()).status).toBe(201)

  test('that is down', async () => {
    await server().kill()
    await isExplained(/"failure":"(unreachable|timeout)"/)
    await server().restart()
    await admin.close()
    admin = await openDb(server().url)
    await recovers()
  })

  test('that is down uses up no login code: WeChat is not asked', async () => {
    await world.restart()
    await server().kill()
    const { code } = await world.code()
    world.wechat.clearRequests()
    const refused = await world.call('POST /login', { body: { code } })
    expect(refused).toMatchObject({ status: 503, body: { code: 'store-unavailable' } })
    expect(world.wechat.requests()).toEqual([])
    await server().restart()
    await admin.close()
    admin = await openDb(server().url)
    await recovers()
    expect((await world.call('POST /login', { body: { code } })).status).toBe(200)
  })

  test('that is read-only', async () => {
    await admin.query('set global read_only = 1')
    await isExplained(/the database is read-only/)
    await admin.query('set global read_only = 0')
    await recovers()
  })

  test('that refuses the password', async () => {
    await world.restart()
    await admin.query("alter user functions identified by 'second'")
    await isExplained(/the database refuses the user name or password of DATABASE_URL/)
    await admin.query("alter user functions identified by 'first'")
    await recovers()
  })

  test('whose user lost its rights', async () => {
    await admin.query(`revoke insert on ${database}.* from functions`)
    await world.restart()
    await isExplained(/the database user lacks a right on a table/)
    await admin.query(`grant insert on ${database}.* to functions`)
    await world.restart()
    await recovers()
  })

  test('that lacks a table', async () => {
    await admin.query(`rename table ${database}.ratings to ${database}.ratings_gone`)
    await isExplained(/a table is missing: run npm run migrate/)
    await admin.query(`rename table ${database}.ratings_gone to ${database}.ratings`)
    await recovers()
  })

  test('that keeps a lock for ever', async () => {
    const holder = await openDb(server().url)
    const startedAt = performance.now()
    const locked = holder.transaction(async (transaction) => {
      await transaction.query(`select acc_nbr from ${database}.ratings for update`)
      await isExplained(/"errno":1205|"failure":"timeout"/)
    })
    await locked
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    await holder.close()
    await recovers()
  })
})
