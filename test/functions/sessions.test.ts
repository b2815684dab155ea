import { createHash } from 'node:crypto'
import { parse as uuidToBytes } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDb } from '../../shared/wiring/database.ts'
import { rating } from '../support/ratings.ts'
import { type LoggedIn, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.close())

function refresh(refreshToken: string, headers: Record<string, string> = {}) {
  return world.call('POST /login/refresh', { body: { refreshToken }, headers })
}
async function isLoggedIn(token: string, headers: Record<string, string> = {}) {
  return (await world.call('GET /score', { token, headers })).status === 200
}

describe('POST /login/refresh', () => {
  test('a refresh token gives the next pair, and both old and new access tokens work', async () => {
    const first = await world.logIn()
    const { status, body } = await refresh(first.refreshToken)
    expect(status).toBe(200)
    expect(body).toEqual({
      token: expect.any(String),
      tokenType: 'JWT',
      expiresIn: 900,
      refreshToken: expect.stringMatching(/^rt_/),
      refreshExpiresIn: 30 * 24 * 60 * 60,
    })
    expect(body.refreshToken).not.toBe(first.refreshToken)
    expect(await isLoggedIn(first.token)).toBe(true)
    expect(await isLoggedIn(body.token)).toBe(true)
  })

  test('a client that lost the answer gets the same successor again', async () => {
    const { refreshToken } = await world.logIn()
    const first = await refresh(refreshToken)
    const second = await refresh(refreshToken)
    expect(second.body.refreshToken).toBe(first.body.refreshToken)
  })

  test('a token two generations old is theft: the session ends for everybody', async () => {
    const { refreshToken } = await world.logIn()
    const second = (await refresh(refreshToken)).body
    const third = (await refresh(second.refreshToken)).body
    expect(await refresh(refreshToken)).toMatchObject({
      status: 401,
      body: { code: 'refresh-rejected', retry: 'login' },
    })
    expect((await refresh(third.refreshToken)).status).toBe(401)
    expect(await isLoggedIn(third.token)).toBe(false)
  })

  test('a guessed token ends nobody’s session', async () => {
    const { refreshToken, token } = await world.logIn()
    const guesses = [
      `${refreshToken.slice(0, -3)}AAA`,
      refreshToken.replace('rt_k1', 'rt_k9'),
      'rt_k1.',
      'x',
    ]
    for (const guess of guesses) expect((await refresh(guess)).status).toBe(401)
    expect(await isLoggedIn(token)).toBe(true)
    expect((await refresh(refreshToken)).status).toBe(200)
  })

  test.each([
    [{}],
    [{ refreshToken: 1 }],
    [{ refreshToken: '' }],
    [{ refreshToken: 'a'.repeat(257) }],
  ])('%j is refused, naming the field', async (body) => {
    expect(await world.call('POST /login/refresh', { body })).toMatchObject({
      status: 400,
      body: { field: 'refreshToken' },
    })
  })

  test('an access token is no refresh token, nor the other way round', async () => {
    const { token, refreshToken } = await world.logIn()
    expect([400, 401]).toContain((await refresh(token)).status)
    expect(await isLoggedIn(refreshToken)).toBe(false)
  })
})

describe('devices and logging out', () => {
  test('one’s devices are listed newest first, and one of them can be ended', async () => {
    const phone = await world.logIn(undefined, { device: '手机' })
    const tablet = await world.logIn(phone.openid, { device: 'tablet' })
    const { body } = await world.call('GET /login/devices', { token: tablet.token })
    expect(body.items).toMatchObject([
      { device: 'tablet', current: true },
      { device: '手机', current: false },
    ])
    expect(Object.keys(body.items[0]).sort()).toEqual(
      ['createdAt', 'current', 'device', 'expiresAt', 'id', 'lastUsedAt'].sort(),
    )
    const ended = await world.call(`DELETE /login/devices/${body.items[1].id}`, {
      token: tablet.token,
    })
    expect(ended).toMatchObject({ status: 204, body: undefined })
    expect(await isLoggedIn(phone.token)).toBe(false)
    expect((await refresh(phone.refreshToken)).status).toBe(401)
    expect(await isLoggedIn(tablet.token)).toBe(true)
  })

  test('somebody else’s device is not there', async () => {
    const [mine, theirs] = [await world.logIn(), await world.logIn()]
    const { body } = await world.call('GET /login/devices', { token: theirs.token })
    for (const id of [body.items[0].id, 'x', '01a1fd72-5ec2-77c4-9fc7-298e697cb2c1', '%00']) {
      const answer = await world.call(`DELETE /login/devices/${id}`, { token: mine.token })
      expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } })
    }
    expect(await isLoggedIn(theirs.token)).toBe(true)
  })

  test('logging out ends this session at once, on every function', async () => {
    const { token, refreshToken, openid } = await world.logIn()
    const other = await world.logIn(openid)
    expect((await world.call('POST /logout', { token })).status).toBe(204)
    for (const route of ['GET /score', 'GET /login/devices', 'POST /logout']) {
      expect((await world.call(route, { token })).status).toBe(401)
    }
    expect((await world.call('POST /score', { token, body: rating() })).status).toBe(401)
    expect((await refresh(refreshToken)).status).toBe(401)
    expect(await isLoggedIn(other.token)).toBe(true)
  })

  test('logging out everywhere ends all sessions of this person and of nobody else', async () => {
    const first = await world.logIn()
    const second = await world.logIn(first.openid)
    const stranger = await world.logIn()
    const body = { everywhere: true }
    expect((await world.call('POST /logout', { token: second.token, body })).status).toBe(204)
    expect([await isLoggedIn(first.token), await isLoggedIn(second.token)]).toEqual([false, false])
    expect(await isLoggedIn(stranger.token)).toBe(true)
    const wrong = await world.call('POST /logout', {
      token: stranger.token,
      body: { everywhere: 1 },
    })
    expect(wrong).toMatchObject({ status: 400, body: { field: 'everywhere' } })
  })

  test('the twenty-first device ends the oldest', async () => {
    const oldest = await world.logIn()
    const second = await world.logIn(oldest.openid)
    for (let index = 0; index < 18; index++) await world.logIn(oldest.openid)
    expect(await isLoggedIn(oldest.token)).toBe(true)
    const newest = await world.logIn(oldest.openid)
    expect(await isLoggedIn(oldest.token)).toBe(false)
    expect(await isLoggedIn(second.token)).toBe(true)
    const { body } = await world.call('GET /login/devices', { token: newest.token })
    expect(body.items).toHaveLength(20)
  })
})

describe('a login sent again', () => {
  const logIn = (body: unknown) => world.call('POST /login', { body })

  test('the same code from the same device gives the same session, and one call to WeChat', async () => {
    const { code } = await world.code()
    world.wechat.clearRequests()
    const first = await logIn({ code, device: 'phone-1' })
    const second = await logIn({ code, device: 'phone-1' })
    expect(second.status).toBe(200)
    expect(second.body.refreshToken).toBe(first.body.refreshToken)
    expect(second.body.user).toEqual(first.body.user)
    expect(world.wechat.requests()).toHaveLength(1)
    expect(await isLoggedIn(second.body.token)).toBe(true)
  })

  test('five requests at once with one code make one session and one call to WeChat', async () => {
    const { code } = await world.code()
    world.wechat.clearRequests()
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => logIn({ code, device: 'phone-1' })),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1)
    expect(world.wechat.requests()).toHaveLength(1)
  })

  test('another device, or none, cannot use the code a second time', async () => {
    const { code } = await world.code()
    await logIn({ code, device: 'phone-1' })
    for (const body of [{ code, device: 'phone-2' }, { code }]) {
      expect(await logIn(body)).toMatchObject({
        status: 401,
        body: { code: 'wechat-rejected-code' },
      })
    }
  })

  test('after a refresh the login cannot be repeated any more', async () => {
    const { code } = await world.code()
    const { body } = await logIn({ code, device: 'phone-1' })
    await refresh(body.refreshToken)
    expect((await logIn({ code, device: 'phone-1' })).status).toBe(401)
  })

  test('a login that failed at WeChat may be sent again', async () => {
    const { code } = await world.code()
    world.wechat.addFault({ kind: 'errcode', errcode: -1, times: 2 })
    expect((await logIn({ code, device: 'phone-1' })).status).toBe(503)
    await world.wechat.clearFaults()
    expect((await logIn({ code, device: 'phone-1' })).status).toBe(200)
  })
})

describe('a bound session', () => {
  const secret = 'a secret that only the client knows, 32+ bytes'
  const proofKey = createHash('sha256').update(secret).digest('base64url')
  const proof = { 'x-session-proof': secret }

  test('its tokens are worth nothing without the secret', async () => {
    const { token, refreshToken } = await world.logIn(undefined, { proofKey })
    expect(await isLoggedIn(token)).toBe(false)
    expect(await isLoggedIn(token, { 'x-session-proof': 'wrong' })).toBe(false)
    expect(await isLoggedIn(token, { 'x-session-proof': proofKey })).toBe(false)
    expect(await isLoggedIn(token, proof)).toBe(true)
    expect((await refresh(refreshToken)).status).toBe(401)
    const refreshed = await refresh(refreshToken, proof)
    expect(refreshed.status).toBe(200)
    expect(await isLoggedIn(refreshed.body.token, proof)).toBe(true)
    expect(await isLoggedIn(refreshed.body.token)).toBe(false)
  })

  test.each(['', 'x', 'a'.repeat(44), `${'a'.repeat(42)}=`])(
    'a proofKey of %j is refused',
    async (wrong) => {
      const { code } = await world.code()
      expect(await world.call('POST /login', { body: { code, proofKey: wrong } })).toMatchObject({
        status: 400,
        body: { field: 'proofKey' },
      })
    },
  )
})

describe('user data', () => {
  const send = (token: string, body: unknown) =>
    world.call('POST /login/user-data', { token, body })

  test('data encrypted by WeChat comes back as its shown fields, without openId', async () => {
    const { token, openid } = await world.logIn()
    const userInfo = { nickName: '小明 😀', gender: 1, isAdmin: true }
    const { status, body } = await send(token, world.wechat.userData({ openid, userInfo }))
    expect(status).toBe(200)
    expect(body).toMatchObject({ nickName: '小明 😀', gender: 1 })
    expect(JSON.stringify(body)).not.toContain(openid)
    expect(body).not.toHaveProperty('isAdmin')
  })

  test('data encrypted before a login elsewhere still opens: the last three keys are known', async () => {
    const { token, openid } = await world.logIn()
    const data = world.wechat.userData({ openid })
    await world.logIn(openid)
    await world.logIn(openid)
    expect((await send(token, data)).status).toBe(200)
    await world.logIn(openid)
    expect(await send(token, data)).toMatchObject({
      status: 409,
      body: { code: 'session-key-stale', retry: 'login' },
    })
  })

  test('a plus that became a space on the way is repaired', async () => {
    const { token, openid } = await world.logIn()
    let data = world.wechat.userData({ openid })
    while (!data.encryptedData.includes('+')) data = world.wechat.userData({ openid })
    const mangled = { ...data, encryptedData: data.encryptedData.replaceAll('+', ' ') }
    expect((await send(token, mangled)).status).toBe(200)
  })

  test('every fault has the same answer, and after five the session has to wait', async () => {
    const [mine, theirs] = [await world.logIn(), await world.logIn()]
    const good = world.wechat.userData({ openid: mine.openid })
    const { iv, rawData, signature } = good
    const faults = [
      world.wechat.userData({ openid: theirs.openid }),
      { encryptedData: 'AAAA', iv },
      { ...good, iv: 'AAAAAAAAAAAAAAAAAAAAAA==' },
      { ...good, rawData: `${rawData} ` },
      { ...good, signature: signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
    ]
    const answers = []
    for (const fault of faults) {
      const { requestId: _, ...problem } = (await send(mine.token, fault)).body
      answers.push(JSON.stringify(problem))
    }
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).toContain('session-key-stale')
    const sixth = await send(mine.token, good)
    expect(sixth).toMatchObject({
      status: 429,
      body: { code: 'too-many-requests', retry: 'later' },
    })
    expect(Number(sixth.headers['retry-after'])).toBeGreaterThan(0)
    expect(
      (await send(theirs.token, world.wechat.userData({ openid: theirs.openid }))).status,
    ).toBe(200)
  })

  test('successes are not counted', async () => {
    const { token, openid } = await world.logIn()
    for (let index = 0; index < 8; index++) {
      expect((await send(token, world.wechat.userData({ openid }))).status).toBe(200)
    }
  })

  test('a login may carry it, and is refused as a whole when it does not fit', async () => {
    const { openid } = await world.logIn()
    const { code } = await world.code(openid)
    const body = { code, ...world.wechat.userData({ openid, userInfo: { nickName: '阿花' } }) }
    expect((await world.call('POST /login', { body })).body.user).toMatchObject({
      nickName: '阿花',
    })
    const stranger = await world.logIn()
    const other = await world.code(openid)
    const wrong = { code: other.code, ...world.wechat.userData({ openid: stranger.openid }) }
    expect((await world.call('POST /login', { body: wrong })).body.code).toBe('session-key-stale')
  })
})

describe('phone', () => {
  const bind = (token: string, body: unknown) => world.call('POST /login/phone', { token, body })
  const readAll = async (token: string, acc_nbr: string) =>
    (await world.call('POST /query', { token, body: { acc_nbr } })).body.items.length

  test('who proves a number by WeChat’s code reads all ratings of that account, masked number and all', async () => {
    const acc_nbr = '13612345678'
    const [author, holder] = [await world.logIn(), await world.logIn()]
    await world.call('POST /score', { token: author.token, body: rating({ acc_nbr }) })
    expect(await readAll(holder.token, acc_nbr)).toBe(0)
    const { code } = world.wechat.issuePhoneCode({ openid: holder.openid, phone: acc_nbr })
    expect(await bind(holder.token, { code })).toMatchObject({
      status: 200,
      body: { phone: '136****5678' },
    })
    expect(await readAll(holder.token, acc_nbr)).toBe(1)
    expect(await readAll(holder.token, '13612345679')).toBe(0)
    expect(
      (await world.call('POST /query/summary', { token: holder.token, body: { acc_nbr } })).body
        .count,
    ).toBe(1)
  })

  test('the same code again is answered the same, and paid for once', async () => {
    const { token, openid } = await world.logIn()
    const { code } = world.wechat.issuePhoneCode({ openid, phone: '13712345678' })
    const before = world.wechat.paidPhoneCalls()
    const answers = [await bind(token, { code }), await bind(token, { code })]
    expect(answers.map(({ body }) => body.phone)).toEqual(['137****5678', '137****5678'])
    expect(world.wechat.paidPhoneCalls()).toBe(before + 1)
    const thief = await world.logIn()
    expect((await bind(thief.token, { code })).body.code).toBe('phone-code-rejected')
  })

  test('four requests at once with one code are paid for once', async () => {
    const { token, openid } = await world.logIn()
    const { code } = world.wechat.issuePhoneCode({ openid, phone: '13712345679' })
    const before = world.wechat.paidPhoneCalls()
    const answers = await Promise.all(Array.from({ length: 4 }, () => bind(token, { code })))
    expect(new Set(answers.map(({ body }) => body.phone))).toEqual(new Set(['137****5679']))
    expect(world.wechat.paidPhoneCalls()).toBe(before + 1)
  })

  test('encrypted data shows a number but makes nobody its holder', async () => {
    const acc_nbr = '13812345678'
    const [author, other] = [await world.logIn(), await world.logIn()]
    await world.call('POST /score', { token: author.token, body: rating({ acc_nbr }) })
    const { encryptedData, iv } = world.wechat.issuePhoneCode({
      openid: other.openid,
      phone: acc_nbr,
    })
    expect(await bind(other.token, { encryptedData, iv })).toMatchObject({
      status: 200,
      body: { phone: '138****5678' },
    })
    expect(await readAll(other.token, acc_nbr)).toBe(0)
  })

  describe('that moves on', () => {
    const rate = async (acc_nbr: string) => {
      const { token } = await world.logIn()
      expect((await world.call('POST /score', { token, body: rating({ acc_nbr }) })).status).toBe(
        201,
      )
    }
    const phoneCode = ({ openid }: LoggedIn, phone: string) =>
      world.wechat.issuePhoneCode({ openid, phone }).code
    const loginCode = async ({ openid }: LoggedIn) => (await world.code(openid)).code
    const prove = async (person: LoggedIn, phone: string) => {
      const body = { code: phoneCode(person, phone), loginCode: await loginCode(person) }
      expect((await bind(person.token, body)).status).toBe(200)
    }
    const countFor = async ({ token }: LoggedIn, acc_nbr: string) => {
      const { body } = await world.call('POST /query/summary', { token, body: { acc_nbr } })
      expect(await readAll(token, acc_nbr)).toBe(body.count)
      return body.count
    }

    test('is not readable for the former holder, and for the present one from that moment on', async () => {
      const acc_nbr = '13912345678'
      const [former, present] = [await world.logIn(), await world.logIn()]
      await rate(acc_nbr)
      await prove(former, acc_nbr)
      expect(await countFor(former, acc_nbr)).toBe(1)
      await prove(present, acc_nbr)
      expect(await countFor(present, acc_nbr)).toBe(0)
      await rate(acc_nbr)
      expect([await countFor(former, acc_nbr), await countFor(present, acc_nbr)]).toEqual([0, 1])
      await prove(present, acc_nbr)
      expect(await countFor(present, acc_nbr)).toBe(1)
    })

    test('is taken over with a fresh login alone, and the phone code is good for both tries', async () => {
      const acc_nbr = '13912345677'
      const [former, present] = [await world.logIn(), await world.logIn()]
      await prove(former, acc_nbr)
      await rate(acc_nbr)
      const before = world.wechat.paidPhoneCalls()
      const code = phoneCode(present, acc_nbr)
      for (const body of [{ code }, { code, loginCode: await loginCode(former) }]) {
        expect(await bind(present.token, body)).toMatchObject({
          status: 403,
          body: { code: 'fresh-login-required', retry: 'never' },
        })
      }
      expect([await countFor(former, acc_nbr), await countFor(present, acc_nbr)]).toEqual([1, 0])
      const answer = await bind(present.token, { code, loginCode: await loginCode(present) })
      expect(answer).toMatchObject({ status: 200, body: { phone: '139****5677' } })
      expect(await countFor(former, acc_nbr)).toBe(0)
      expect(world.wechat.paidPhoneCalls()).toBe(before + 1)
    })

    test('that nobody holds, or oneself, needs no login code', async () => {
      const person = await world.logIn()
      for (const _again of [1, 2]) {
        const body = { code: phoneCode(person, '13912345676') }
        expect((await bind(person.token, body)).status).toBe(200)
      }
    })

    test('is logged, without the number', async () => {
      const acc_nbr = '13912345679'
      const lines = () =>
        world.logLines.map((line) => JSON.parse(line)).filter(({ event }) => event !== 'request')
      const [former, present] = [await world.logIn(), await world.logIn()]
      await prove(former, acc_nbr)
      await prove(former, acc_nbr)
      const before = lines().length
      await prove(present, acc_nbr)
      const [line, ...others] = lines().slice(before)
      expect(others).toEqual([])
      expect(line).toMatchObject({
        event: 'number-taken-over',
        level: 'warn',
        route: 'POST /login/phone',
        requestId: expect.stringMatching(/./),
      })
      expect(JSON.stringify(line)).not.toContain('5679')
    })

    test('is nobody’s once it was unbound, and the next holder’s from then on', async () => {
      const acc_nbr = '13912345680'
      const [former, present] = [await world.logIn(), await world.logIn()]
      await rate(acc_nbr)
      await prove(former, acc_nbr)
      for (const _again of [1, 2]) {
        const answer = await world.call('DELETE /login/phone', { token: former.token })
        expect(answer).toMatchObject({ status: 204, body: undefined })
      }
      expect(await countFor(former, acc_nbr)).toBe(0)
      await prove(present, acc_nbr)
      await rate(acc_nbr)
      expect(await countFor(present, acc_nbr)).toBe(1)
    })

    test('is nobody’s after half a year, until it is proved again', async () => {
      const acc_nbr = '13912345681'
      const person = await world.logIn()
      await rate(acc_nbr)
      await prove(person, acc_nbr)
      const db = await openDb(world.environment.DATABASE_URL ?? '')
      const halfAYearAgoMs = Date.now() - 180 * 24 * 60 * 60 * 1000
      await db.query('update users set phone_bound_at = ? where user_id = ?', [
        halfAYearAgoMs,
        uuidToBytes(person.userId),
      ])
      await db.close()
      expect(await countFor(person, acc_nbr)).toBe(0)
      await prove(person, acc_nbr)
      expect(await countFor(person, acc_nbr)).toBe(1)
    })

    test('leaves its holder’s earlier number behind', async () => {
      const [first, second] = ['13912345682', '13912345683'] as const
      const person = await world.logIn()
      await rate(first)
      await prove(person, first)
      await prove(person, second)
      expect(await countFor(person, first)).toBe(0)
    })
  })

  test('a number from abroad is never the Chinese one of the same digits', async () => {
    const acc_nbr = '13105551234'
    const [author, abroad, holder] = [await world.logIn(), await world.logIn(), await world.logIn()]
    await world.call('POST /score', { token: author.token, body: rating({ acc_nbr }) })
    const [{ code }, own] = [
      world.wechat.issuePhoneCode({ openid: abroad.openid, phone: '3105551234', countryCode: '1' }),
      world.wechat.issuePhoneCode({ openid: holder.openid, phone: acc_nbr }),
    ]
    expect((await bind(holder.token, { code: own.code })).body.phone).toBe('131****1234')
    expect((await bind(abroad.token, { code })).body.phone).toBe('+1 ****1234')
    expect([await readAll(abroad.token, acc_nbr), await readAll(holder.token, acc_nbr)]).toEqual([
      0, 1,
    ])
  })

  test('a number bound before countries were told apart has to be proved again', async () => {
    const acc_nbr = '13105551235'
    const { token, openid, userId } = await world.logIn()
    await world.call('POST /score', {
      token: (await world.logIn()).token,
      body: rating({ acc_nbr }),
    })
    await bind(token, { code: world.wechat.issuePhoneCode({ openid, phone: acc_nbr }).code })
    expect(await readAll(token, acc_nbr)).toBe(1)
    const db = await openDb(world.environment.DATABASE_URL ?? '')
    // As the migration leaves such a row.
    const user = uuidToBytes(userId)
    await db.query('update users set phone_bound_at = null where user_id = ?', [user])
    await db.close()
    expect(await readAll(token, acc_nbr)).toBe(0)
    await bind(token, { code: world.wechat.issuePhoneCode({ openid, phone: acc_nbr }).code })
    expect(await readAll(token, acc_nbr)).toBe(1)
  })

  test('an access token of WeChat that died is replaced once, and the call repeated', async () => {
    const { token, openid } = await world.logIn()
    const phone = '13512345678'
    await bind(token, { code: world.wechat.issuePhoneCode({ openid, phone }).code })
    world.wechat.revokeTokens()
    world.wechat.clearRequests()
    const again = await bind(token, { code: world.wechat.issuePhoneCode({ openid, phone }).code })
    expect(again.status).toBe(200)
    const paths = world.wechat.requests().map((request) => request.path)
    expect(paths).toEqual([
      '/wxa/business/getuserphonenumber',
      '/cgi-bin/stable_token',
      '/wxa/business/getuserphonenumber',
    ])
  })

  test('a token that stays refused is not asked for again and again', async () => {
    const { token, openid } = await world.logIn()
    const { code } = world.wechat.issuePhoneCode({ openid, phone: '13512345678' })
    const path = '/wxa/business/getuserphonenumber'
    world.wechat.addFault({ kind: 'errcode', errcode: 42001, path, times: 10 })
    world.wechat.clearRequests()
    expect((await bind(token, { code })).status).toBeGreaterThanOrEqual(500)
    expect(world.wechat.requests().length).toBeLessThanOrEqual(3)
    await world.wechat.clearFaults()
  })

  test.each([[{}], [{ code: 'a', iv: 'b' }], [{ iv: 'b' }], [{ code: 1 }]])(
    '%j is refused',
    async (body) => {
      const { token } = await world.logIn()
      expect(await bind(token, body)).toMatchObject({ status: 400, body: { field: 'code' } })
    },
  )
})

describe('DELETE /login/me', () => {
  test('everything about the person is gone, and a new login is a new person', async () => {
    const acc_nbr = '15012345678'
    const person = await world.logIn()
    const { code } = world.wechat.issuePhoneCode({ openid: person.openid, phone: acc_nbr })
    await world.call('POST /login/phone', { token: person.token, body: { code } })
    for (let index = 0; index < 3; index++) {
      await world.call('POST /score', { token: person.token, body: rating({ acc_nbr }) })
    }
    const forget = { token: person.token, body: { code: (await world.code(person.openid)).code } }
    expect((await world.call('DELETE /login/me', forget)).status).toBe(204)
    expect(await isLoggedIn(person.token)).toBe(false)
    expect((await refresh(person.refreshToken)).status).toBe(401)
    const back = await world.logIn(person.openid)
    expect(back.userId).not.toBe(person.userId)
    const prove = world.wechat.issuePhoneCode({ openid: back.openid, phone: acc_nbr })
    await world.call('POST /login/phone', { token: back.token, body: { code: prove.code } })
    const { body } = await world.call('POST /query/summary', {
      token: back.token,
      body: { acc_nbr },
    })
    expect(body.count).toBe(0)
  })
  describe('needs a login code of this very moment', () => {
    const forget = (token: string, body?: unknown, query = {}) =>
      world.call('DELETE /login/me', { token, body, query })
    const freshLoginRequired = {
      status: 403,
      body: {
        code: 'fresh-login-required',
        retry: 'never',
        message: '为确认是您本人，请重新操作一次',
      },
    }
    const codeOf = async ({ openid }: LoggedIn) => (await world.code(openid)).code

    test('a token alone forgets nobody', async () => {
      const person = await world.logIn()
      for (const body of [undefined, {}]) {
        expect(await forget(person.token, body)).toMatchObject(freshLoginRequired)
      }
      expect(await isLoggedIn(person.token)).toBe(true)
    })

    test('nor does a code in the URL, where it would be logged', async () => {
      const person = await world.logIn()
      const query = { code: await codeOf(person) }
      expect(await forget(person.token, undefined, query)).toMatchObject(freshLoginRequired)
    })

    test('nor somebody else’s code', async () => {
      const [person, thief] = [await world.logIn(), await world.logIn()]
      const body = { code: await codeOf(thief) }
      expect(await forget(person.token, body)).toMatchObject(freshLoginRequired)
      expect(await isLoggedIn(person.token)).toBe(true)
    })

    test('nor a code that was used, or one that is none', async () => {
      const { code, openid } = await world.code()
      const person = await world.logIn(openid)
      await world.call('POST /login', { body: { code, device: 'phone-1' } })
      for (const used of [code, 'unknown-code']) {
        expect(await forget(person.token, { code: used })).toMatchObject({
          status: 401,
          body: { code: 'wechat-rejected-code', retry: 'login' },
        })
      }
      expect(await forget(person.token, { code: 1 })).toMatchObject({
        status: 400,
        body: { field: 'code' },
      })
      expect(await isLoggedIn(person.token)).toBe(true)
    })

    test('a client whose answer was lost before anything was done sends the same code again', async () => {
      const person = await world.logIn()
      const body = { code: await codeOf(person) }
      world.wechat.addFault({ kind: 'errcode', errcode: -1, times: 2 })
      expect((await forget(person.token, body)).status).toBe(503)
      await world.wechat.clearFaults()
      expect((await forget(person.token, body)).status).toBe(204)
      expect(await isLoggedIn(person.token)).toBe(false)
    })

    test('through wx.cloud, where the platform says who calls, it takes no code', async () => {
      const openid = 'oCloudLeaver000000000000000'
      const written = { WX_OPENID: openid, WX_APPID: world.environment.WECHAT_APPID ?? '' }
      const send = (route: string) => world.callFunction('login', { route }, written)
      expect(await send('GET /login/devices')).toMatchObject({ status: 200 })
      expect(await send('DELETE /login/me')).toEqual({ status: 204 })
    })
  })
})
