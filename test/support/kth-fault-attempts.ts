/** What the k-th fault drill tries on each endpoint. */

import { randomUUID } from 'node:crypto'
import type { DrillWorld, Instance } from './drill-world.ts'
import type { Attempt, PrepareAttempt } from './kth-fault-drill.ts'
import { rating } from './ratings.ts'

async function countOf(world: DrillWorld, sql: string, values: (string | Uint8Array)[]) {
  const { rows } = await world.db.query(`select count(*) as n from ${sql}`, values)
  return Number(rows[0]?.n)
}

async function statusOf(instance: Instance, token: string): Promise<number> {
  return (await instance.call('GET /score', { token })).status
}

let accounts = 0
function freshAccount(): string {
  return `188${String(++accounts).padStart(8, '0')}`
}

/** An attempt for each endpoint; the drill fails for one that has none. */
export const attempts: Readonly<Record<string, PrepareAttempt>> = {
  async 'POST /login'(world) {
    const { code, openid } = await world.code()
    return {
      options: { body: { code, device: 'phone' } },
      // The code was used up, and what WeChat said of it is lost; or it was claimed, and nobody knows by whom.
      again: [200, 'wechat-rejected-code', 'login-in-progress'],
      async fault(_first, instance) {
        const fresh = await world.code(openid)
        const login = await instance.call('POST /login', { body: { code: fresh.code } })
        if (login.status !== 200) return `a fresh code is answered ${login.status}`
        const people = await countOf(world, 'users where openid = ? and left_at is null', [openid])
        return people !== 1 && `there are ${people} of one person`
      },
    }
  },
  async 'POST /login/refresh'(world) {
    const { refreshToken, userId } = await world.logIn()
    return {
      options: { body: { refreshToken } },
      again: [200],
      async fault(_first, instance) {
        const { body } = await instance.call('POST /login/refresh', { body: { refreshToken } })
        if ((await statusOf(instance, body.token)) !== 200) return 'the new token is no good'
        const devices = await instance.call('GET /login/devices', { token: body.token })
        return devices.body.items.length !== 1 && `${userId} has more than one session`
      },
    }
  },
  async 'POST /logout'(world) {
    const { token } = await world.logIn()
    return {
      options: { token, body: {} },
      again: [204, 401],
      fault: async (_first, instance) =>
        (await statusOf(instance, token)) !== 401 && 'the session still lives',
    }
  },
  async 'GET /login/devices'(world) {
    const { token } = await world.logIn()
    return {
      options: { token },
      again: [200],
      fault: async ({ status, body }) =>
        status === 200 && body.items.length !== 1 && `there are ${body.items.length} devices`,
    }
  },
  async 'DELETE /login/devices/{id}'(world) {
    const { token, openid } = await world.logIn()
    const extra = await world.logIn(openid)
    const { body } = await world.call('GET /login/devices', { token: extra.token })
    const { id } = body.items.find(({ current }: { current: boolean }) => current)
    return {
      path: `/login/devices/${id}`,
      options: { token },
      again: [204, 404],
      async fault(_first, instance) {
        if ((await statusOf(instance, token)) !== 200) return 'the caller’s own session has ended'
        return (await statusOf(instance, extra.token)) !== 401 && 'the device still lives'
      },
    }
  },
  async 'POST /login/phone'(world) {
    const { token, openid } = await world.logIn()
    const author = await world.logIn()
    const acc_nbr = freshAccount()
    await world.call('POST /score', { token: author.token, body: rating({ acc_nbr }) })
    const { code } = world.wechat.issuePhoneCode({ openid, phone: acc_nbr })
    return {
      options: { token, body: { code } },
      again: [200, 'phone-code-rejected', 'wechat-rejected-code', 'login-in-progress'],
      async fault(_first, instance) {
        const fresh = world.wechat.issuePhoneCode({ openid, phone: acc_nbr })
        const bound = await instance.call('POST /login/phone', {
          token,
          body: { code: fresh.code },
        })
        if (bound.status !== 200) return `a fresh code is answered ${bound.status}`
        const { body } = await instance.call('POST /query', { token, body: { acc_nbr } })
        return body.items?.length !== 1 && 'the number’s holder does not read its ratings'
      },
    }
  },
  async 'DELETE /login/phone'(world) {
    const { token, openid } = await world.logIn()
    const author = await world.logIn()
    const acc_nbr = freshAccount()
    await world.call('POST /score', { token: author.token, body: rating({ acc_nbr }) })
    const { code } = world.wechat.issuePhoneCode({ openid, phone: acc_nbr })
    await world.call('POST /login/phone', { token, body: { code } })
    return {
      options: { token },
      again: [204],
      async fault(_first, instance) {
        const { body } = await instance.call('POST /query', { token, body: { acc_nbr } })
        return body.items?.length !== 0 && 'the number still shows its ratings'
      },
    }
  },
  async 'POST /login/user-data'(world) {
    const { token, openid } = await world.logIn()
    const { encryptedData, iv } = world.wechat.userData({ openid })
    return { options: { token, body: { encryptedData, iv } }, again: [200] }
  },
  async 'DELETE /login/me'(world) {
    const { token, openid } = await world.logIn()
    const acc_nbr = freshAccount()
    await world.call('POST /score', { token, body: rating({ acc_nbr }) })
    const { code } = await world.code(openid)
    return {
      options: { token, body: { code } },
      // With less it leaves most for later.
      timeLimitMs: 7000,
      again: [204, 401, 'login-in-progress'],
      async fault(first, instance) {
        if ((await statusOf(instance, token)) === 200) {
          if (first.status === 204) return 'who was said to be forgotten is still there'
          const fresh = await world.code(openid)
          const body = { code: fresh.code }
          const { status } = await instance.call('DELETE /login/me', { token, body })
          if (status !== 204) return `a fresh code is answered ${status}`
        }
        if ((await statusOf(instance, token)) !== 401) return 'the token is still good'
        const left = await countOf(world, 'ratings where acc_nbr = ?', [acc_nbr])
        const noted = await countOf(world, 'users where openid = ? and left_at is not null', [
          openid,
        ])
        return left > 0 && noted === 0 && 'ratings are left, and nobody will remove them'
      },
    }
  },
  async 'POST /score'(world) {
    const { token } = await world.logIn()
    const acc_nbr = freshAccount()
    const headers = { 'idempotency-key': randomUUID() }
    return {
      options: { token, body: rating({ acc_nbr }), headers },
      again: [201],
      async fault() {
        const stored = await countOf(world, 'ratings where acc_nbr = ?', [acc_nbr])
        return stored !== 1 && `it is stored ${stored} times`
      },
    }
  },
  async 'GET /score'(world) {
    const { token } = await world.logIn()
    await world.call('POST /score', { token, body: rating({ acc_nbr: freshAccount() }) })
    return {
      options: { token },
      again: [200],
      fault: async ({ status, body }) =>
        status === 200 && body.items.length !== 1 && `${body.items.length} ratings, not 1`,
    }
  },
  async 'POST /query'(world) {
    const { token } = await world.logIn()
    const acc_nbr = freshAccount()
    await world.call('POST /score', { token, body: rating({ acc_nbr }) })
    return {
      options: { token, body: { acc_nbr } },
      again: [200],
      fault: async ({ status, body }) =>
        status === 200 && body.items.length !== 1 && `${body.items.length} ratings, not 1`,
    }
  },
  async 'POST /query/summary'(world) {
    const { token, openid } = await world.logIn()
    const acc_nbr = freshAccount()
    await world.call('POST /score', { token, body: rating({ acc_nbr }) })
    const { code } = world.wechat.issuePhoneCode({ openid, phone: acc_nbr })
    await world.call('POST /login/phone', { token, body: { code } })
    return {
      options: { token, body: { acc_nbr } },
      again: [200],
      async fault({ status, body }, instance) {
        if (status === 200 && body.count !== 1) return `a count of ${body.count}, not 1`
        const again = await instance.call('POST /query/summary', { token, body: { acc_nbr } })
        return again.body.count !== 1 && `then a count of ${again.body.count}, not 1`
      },
    }
  },
  'GET /form': async () => ({ options: {}, again: [200] }),
}

/** The same without a key of the client's: what is said to be stored is, once; what is not said may be. */
export async function submitWithoutKey(world: DrillWorld): Promise<Attempt> {
  const { token } = await world.logIn()
  const acc_nbr = freshAccount()
  return {
    options: { token, body: rating({ acc_nbr }) },
    again: [201],
    async fault(first) {
      const stored = await countOf(world, 'ratings where acc_nbr = ?', [acc_nbr])
      if (first.status === 201) return stored !== 2 && `two are said to be stored, ${stored} are`
      return stored !== 1 && stored !== 2 && `one is said to be stored, ${stored} are`
    },
  }
}
