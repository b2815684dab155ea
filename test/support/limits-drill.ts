/** Three instances, and somebody who sends ten times what the limit allows, beside honest people who stay below it. */

import type { DrillWorld, Instance, LoggedIn } from './drill-world.ts'

export const USER_LIMIT = 40
export const ADDRESS_LIMIT = 30

export interface LimitsResult {
  /** Requests of the flooding person, and of the flooding address, that were let in over all instances. */
  userAdmitted: number
  addressAdmitted: number
  honest: number
  honestRefused: number
  /** Refusals that did not say when to come back. */
  withoutRetryAfter: number
}

export interface LimitsOptions {
  instances: readonly Instance[]
  honestPeople: number
}

export async function runLimitsDrill(
  world: DrillWorld,
  { instances, honestPeople }: LimitsOptions,
): Promise<LimitsResult> {
  const result: LimitsResult = {
    userAdmitted: 0,
    addressAdmitted: 0,
    honest: 0,
    honestRefused: 0,
    withoutRetryAfter: 0,
  }
  const flooder = await world.logIn()
  const people: LoggedIn[] = []
  for (let count = 0; count < honestPeople; count++) people.push(await world.logIn())
  let turn = 0
  const next = (): Instance => instances[turn++ % instances.length] as Instance
  await untilWindowIsYoung()

  const tell = (status: number, headers: Record<string, string>): boolean => {
    if (status !== 429) return true
    if (!(Number(headers['retry-after']) > 0)) result.withoutRetryAfter++
    return false
  }
  const flood = async (send: (instance: Instance) => Promise<boolean>, requests: number) => {
    let admitted = 0
    // As many at once as a few phones can keep open.
    for (let sent = 0; sent < requests; sent += 12) {
      const batch = Array.from({ length: Math.min(12, requests - sent) }, () => send(next()))
      admitted += (await Promise.all(batch)).filter(Boolean).length
    }
    return admitted
  }
  const { token } = flooder
  const asUser = flood(async (instance) => {
    const { status, headers } = await instance.call('GET /score', { token })
    return tell(status, headers)
  }, USER_LIMIT * 10)
  const asAddress = flood(async (instance) => {
    const { status, headers } = await callFrom(instance, '203.0.113.9')
    return tell(status, headers)
  }, ADDRESS_LIMIT * 10)
  const honest = async (): Promise<void> => {
    for (const [index, person] of people.entries()) {
      for (const answer of [
        await next().call('GET /score', { token: person.token }),
        await callFrom(next(), `198.51.${100 + Math.floor(index / 250)}.${index % 250}`),
      ]) {
        result.honest++
        if (answer.status === 429) result.honestRefused++
      }
    }
  }
  const [userAdmitted, addressAdmitted] = await Promise.all([asUser, asAddress, honest()])
  return { ...result, userAdmitted, addressAdmitted }
}

/** A login with a code that is none, as the platform's event from an address. */
export async function callFrom(
  instance: Instance,
  sourceIp: string,
): Promise<{ status: number; headers: Record<string, string> }> {
  const { statusCode, headers } = await instance.handler('login')({
    httpMethod: 'POST',
    path: '/login/refresh',
    queryString: {},
    headers: { 'content-type': 'application/json' },
    requestContext: { sourceIp },
    body: JSON.stringify({ refreshToken: 'none' }),
  })
  return { status: statusCode, headers }
}

/** Windows are minutes of the clock: the drill shall not begin at the end of one. */
async function untilWindowIsYoung(): Promise<void> {
  const leftMs = 60_000 - (Date.now() % 60_000)
  if (leftMs < 15_000) await new Promise((resolve) => setTimeout(resolve, leftMs + 50))
}
