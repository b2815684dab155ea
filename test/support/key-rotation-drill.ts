/** Keys rotated under traffic: four instances take over each new configuration at a moment of their own. */

import type { DrillWorld, Instance, LoggedIn } from './drill-world.ts'
import { randomKey } from './world.ts'

const INSTANCES = 4

/** Which keys there are from one step to the next, the current one first: 0 is the old one, 1 the new one. */
export type Procedure = readonly (readonly number[])[]

/** Known to all before it is used, gone when nothing is left of it. */
export const knownFirst: Procedure = [[0], [0, 1], [1, 0], [1]]

export interface RotationResult {
  requests: number
  /** Answers of 401 and 409 to honest people, and of 500, by route and status. */
  refused: Record<string, number>
  /** Tokens of the dropped key that were still taken. */
  oldTokensTaken: number
  /** Sealed session keys that still name the dropped key, of people who came back. */
  oldSealsLeft: number
  /** What somebody is answered whose session key only the dropped key could open. */
  unreadable: number
}

export async function runKeyRotationDrill(
  world: DrillWorld,
  {
    procedure,
    requestsPerStep,
    people: count,
  }: { procedure: Procedure; requestsPerStep: number; people: number },
): Promise<RotationResult> {
  const tokenKeys = [world.environment.TOKEN_KEYS ?? '', randomKey('k2')]
  const sealingKeys = [world.environment.SEALING_KEYS ?? '', randomKey('s2')]
  const configured = (keys: readonly number[]): Instance =>
    world.instance({
      environment: {
        TOKEN_KEYS: keys.map((index) => tokenKeys[index]).join(),
        SEALING_KEYS: keys.map((index) => sealingKeys[index]).join(),
      },
    })
  const refused: Record<string, number> = {}
  let requests = 0
  const ask = async (instance: Instance, ...request: Parameters<Instance['call']>) => {
    const answer = await instance.call(...request)
    requests++
    if (answer.status >= 300) {
      const what = `${request[0]} ${answer.status}`
      refused[what] = (refused[what] ?? 0) + 1
    }
    return answer
  }
  const absent = await world.logIn()
  const people: LoggedIn[] = []
  for (let index = 0; index < count; index++) people.push(await world.logIn())
  const oldTokens = people.map(({ token }) => token)

  let instances = Array.from({ length: INSTANCES }, () => configured(procedure[0] ?? []))
  const any = (): Instance => instances[Math.floor(Math.random() * instances.length)] as Instance
  const visit = async (person: LoggedIn, turn: number): Promise<void> => {
    if (turn % 3 === 0) {
      const { body } = await ask(any(), 'POST /login/refresh', {
        body: { refreshToken: person.refreshToken },
      })
      if (body?.token) Object.assign(person, { token: body.token, refreshToken: body.refreshToken })
    } else if (turn % 3 === 1) await ask(any(), 'GET /score', { token: person.token })
    else {
      const body = world.wechat.userData({ openid: person.openid })
      const { encryptedData, iv } = body
      await ask(any(), 'POST /login/user-data', {
        token: person.token,
        body: { encryptedData, iv },
      })
    }
  }
  /** Somebody's session key is new at every login, and so sealed by whichever instance has them log in. */
  const logInAnywhere = async (person: LoggedIn): Promise<void> => {
    const { code } = await world.code(person.openid)
    const { body } = await ask(any(), 'POST /login', { body: { code } })
    if (body?.token) Object.assign(person, { token: body.token, refreshToken: body.refreshToken })
  }
  for (const keys of procedure.slice(1)) {
    // One instance after the other has it, while people go on.
    for (const [index] of instances.entries()) {
      instances = instances.map((each, at) => (at === index ? configured(keys) : each))
      for (let turn = 0; turn < requestsPerStep; turn++) {
        const person = people[turn % people.length] as LoggedIn
        if (turn % 7 === 6) await logInAnywhere(person)
        await visit(person, turn + Math.floor(turn / people.length))
      }
    }
    // Within the lifetime of a token everybody comes back for each of the three.
    for (const person of people) {
      for (let turn = 0; turn < 3; turn++) await visit(person, turn)
    }
  }
  let oldTokensTaken = 0
  for (const token of oldTokens) {
    if ((await any().call('GET /score', { token })).status !== 401) oldTokensTaken++
  }
  const { rows } = await world.db.query('select openid, session_key_1 from users', [])
  const theirs = new Set(people.map(({ openid }) => openid))
  const oldKid = sealingKeys[0]?.split(':')[0] ?? ''
  const oldSealsLeft = rows.filter(({ openid, session_key_1: sealed }) => {
    const kid = Buffer.from(sealed as Uint8Array).toString('latin1', 2, 2 + oldKid.length)
    return theirs.has(String(openid)) && kid === oldKid
  }).length
  const { encryptedData, iv } = world.wechat.userData({ openid: absent.openid })
  const back = await any().call('POST /login/refresh', {
    body: { refreshToken: absent.refreshToken },
  })
  const unreadable = await any().call('POST /login/user-data', {
    token: back.body?.token ?? people[0]?.token,
    body: { encryptedData, iv },
  })
  return { requests, refused, oldTokensTaken, oldSealsLeft, unreadable: unreadable.status }
}
