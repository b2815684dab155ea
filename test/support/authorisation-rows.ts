/** Who × route × whose data: what each cell of the matrix sends, and what it must be answered. */

import { v7 as uuidV7 } from 'uuid'
import { createTokenSigner } from '../../shared/session/token.ts'
import type { DrillWorld, LoggedIn, WholeAnswer } from './drill-world.ts'
import { rating } from './ratings.ts'

export const OPERATOR_OPENID = 'oOperator00000000000000000000'

/** Whose data is asked for. */
export const targets = ['own', 'other', 'absent'] as const
export type Target = (typeof targets)[number]

export const living = ['author', 'stranger', 'holder', 'operator'] as const
export type Person = (typeof living)[number]
export const callers = ['none', 'bad', 'expired', 'revoked', ...living] as const
export type CallerKind = (typeof callers)[number]

/** Accounts: the holder's number with two ratings of the author, and one account each that only the author, the stranger rated. */
const ACCOUNTS = { held: '13800138000', authors: '13900139001', strangers: '13900139002' }
const NOBODYS = '13900139003'

/** The people of a world, and what is theirs. */
export interface Scene {
  world: DrillWorld
  people: Record<Person, LoggedIn>
  tokens: Record<Exclude<CallerKind, Person>, string | undefined>
}

export async function prepareScene(world: DrillWorld): Promise<Scene> {
  const people = {
    author: await world.logIn(),
    stranger: await world.logIn(),
    holder: await world.logIn(),
    operator: await world.logIn(OPERATOR_OPENID),
  }
  const { holder, author, stranger } = people
  const { code } = world.wechat.issuePhoneCode({ openid: holder.openid, phone: ACCOUNTS.held })
  await world.call('POST /login/phone', { token: holder.token, body: { code } })
  for (const acc_nbr of [ACCOUNTS.held, ACCOUNTS.held, ACCOUNTS.authors]) {
    await world.call('POST /score', { token: author.token, body: rating({ acc_nbr }) })
  }
  await world.call('POST /score', {
    token: stranger.token,
    body: rating({ acc_nbr: ACCOUNTS.strangers }),
  })
  const ended = await world.logIn(author.openid)
  await world.call('POST /logout', { token: ended.token })
  const tokens = {
    none: undefined,
    bad: `${author.token.slice(0, -4)}AAAA`,
    expired: undefined,
    revoked: ended.token,
  }
  return { world, people, tokens }
}

/** Sessions of now for everybody: cells make more of them than a person may have. */
export async function logInAgain({ world, people, tokens }: Scene): Promise<void> {
  for (const who of living) people[who] = await world.logIn(people[who].openid)
  tokens.expired = await signedLongAgo(world, people.author)
}

/** As the function itself signed it, for a session that lives, two hours ago. */
async function signedLongAgo(world: DrillWorld, { token, userId }: LoggedIn): Promise<string> {
  const [kid = '', secret = ''] = (world.environment.TOKEN_KEYS ?? '').split(':')
  const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const signer = createTokenSigner({
    keys: [{ kid, secret: new Uint8Array(Buffer.from(secret, 'base64url')) }],
    issuer: 'miniscore',
    audience: world.environment.WECHAT_APPID ?? '',
    lifetimeSeconds: 900,
    clockToleranceSeconds: 60,
    now: () => Date.now() - 2 * 60 * 60 * 1000,
  })
  return (await signer.sign({ userId, sessionId: payload.sid })).token
}

/** What a cell sends, made for it alone, and what it must find. */
interface Cell {
  path?: string
  body?: unknown
  status: number
  /** What is wrong with the answer of the right status, if anything. */
  fault?: (answer: WholeAnswer) => string | false | Promise<string | false>
  /** Somebody of the same kind, when the call ends what it is made with. */
  token?: string
}

type MakeCell = (scene: Scene, who: Person, target: Target) => Promise<Cell>

/** A route's. */
export interface Row {
  auth: 'none' | 'required'
  cell: MakeCell
}

const ownAccount: Record<Person, string> = {
  author: ACCOUNTS.authors,
  stranger: ACCOUNTS.strangers,
  holder: ACCOUNTS.held,
  operator: NOBODYS,
}
const othersAccount: Record<Person, string> = {
  author: ACCOUNTS.strangers,
  stranger: ACCOUNTS.authors,
  holder: ACCOUNTS.authors,
  operator: ACCOUNTS.held,
}

/** How many ratings somebody sees there. */
function visible(who: Person, target: Target): number {
  if (target === 'absent') return 0
  if (who === 'operator') return target === 'own' ? 0 : 2
  if (target === 'other') return 0
  return who === 'holder' ? 2 : 1
}

function accountOf(who: Person, target: Target): string {
  if (target === 'absent') return NOBODYS
  return target === 'own' ? ownAccount[who] : othersAccount[who]
}

/** Another session of the same person, or of somebody new. */
async function sessionId({ world }: Scene, token: string): Promise<string> {
  const { body } = await world.call('GET /login/devices', { token })
  return body.items.find((each: { current: boolean }) => each.current).id
}

const other = (who: Person): Person => (who === 'author' ? 'stranger' : 'author')

export const rows: Readonly<Record<string, Row>> = {
  'POST /login': {
    auth: 'none',
    // The code says who logs in, whoever's token comes along.
    async cell({ world, people }, who, target) {
      if (target === 'absent') return { body: { code: 'unknown' }, status: 401 }
      const expected = people[target === 'own' ? who : other(who)]
      const { code } = await world.code(expected.openid)
      const fault = ({ body }: WholeAnswer) => body.user.id !== expected.userId && 'somebody else'
      return { body: { code }, status: 200, fault }
    },
  },
  'POST /login/refresh': {
    auth: 'none',
    async cell({ world, people }, who, target) {
      if (target === 'absent') return { body: { refreshToken: 'unknown' }, status: 401 }
      const person = await world.logIn(people[who].openid)
      if (target === 'other') {
        await world.call('POST /logout', { token: person.token })
        return { body: { refreshToken: person.refreshToken }, status: 401 }
      }
      return { body: { refreshToken: person.refreshToken }, status: 200 }
    },
  },
  'POST /logout': {
    auth: 'required',
    async cell({ world, people }, who) {
      const { token } = await world.logIn(people[who].openid)
      const fault = async () =>
        (await world.call('GET /score', { token })).status !== 401 && 'the token is still good'
      return { token, body: {}, status: 204, fault }
    },
  },
  'GET /login/devices': {
    auth: 'required',
    async cell({ world, people }, who) {
      const { token } = people[who]
      const theirs = await sessionId({ world } as Scene, people[other(who)].token)
      return {
        status: 200,
        fault: ({ body }) =>
          body.items.some(({ id }: { id: string }) => id === theirs) && 'a device of another',
        token,
      }
    },
  },
  'DELETE /login/devices/{id}': {
    auth: 'required',
    async cell(scene, who, target) {
      if (target === 'absent') return { path: `/login/devices/${uuidV7()}`, status: 404 }
      const owner = target === 'own' ? who : other(who)
      const extra = await scene.world.logIn(scene.people[owner].openid)
      const path = `/login/devices/${await sessionId(scene, extra.token)}`
      const fault = async () => {
        const { status } = await scene.world.call('GET /score', { token: extra.token })
        return status !== (target === 'own' ? 401 : 200) && `then the device is answered ${status}`
      }
      return { path, status: target === 'own' ? 204 : 404, fault }
    },
  },
  'POST /login/phone': {
    auth: 'required',
    async cell({ world }, _who, target) {
      if (target === 'absent') return { body: { code: 'unknown' }, status: 400 }
      const person = await world.logIn()
      const phone = target === 'own' ? freshNumber() : ACCOUNTS.held
      const { code } = world.wechat.issuePhoneCode({ openid: person.openid, phone })
      const status = target === 'own' ? 200 : 403
      return { token: person.token, body: { code }, status }
    },
  },
  'DELETE /login/phone': {
    auth: 'required',
    async cell({ world, people }) {
      const { token } = await world.logIn()
      const fault = async () => {
        const { holder } = people
        const body = { acc_nbr: ACCOUNTS.held }
        const left = await world.call('POST /query', { token: holder.token, body })
        return left.body.items?.length !== 2 && 'another’s number was unbound'
      }
      return { token, status: 204, fault }
    },
  },
  'POST /login/user-data': {
    auth: 'required',
    async cell({ world }, _who, target) {
      const person = await world.logIn()
      if (target === 'absent') {
        return { token: person.token, body: { encryptedData: 'AAAA', iv: 'AAAA' }, status: 409 }
      }
      const { openid } = target === 'own' ? person : await world.logIn()
      const { encryptedData, iv } = world.wechat.userData({ openid })
      return {
        token: person.token,
        body: { encryptedData, iv },
        status: target === 'own' ? 200 : 409,
      }
    },
  },
  'DELETE /login/me': {
    auth: 'required',
    async cell({ world, people }, who, target) {
      const leaver = await world.logIn()
      const owner = target === 'own' ? leaver : people[who]
      const code = target === 'absent' ? undefined : (await world.code(owner.openid)).code
      const fault = async () => {
        const { status } = await world.call('GET /score', { token: leaver.token })
        return status !== (target === 'own' ? 401 : 200) && `then they are answered ${status}`
      }
      return { token: leaver.token, body: { code }, status: target === 'own' ? 204 : 403, fault }
    },
  },
  'POST /score': {
    auth: 'required',
    // Anybody may rate anything; that it is theirs is what `GET /score` and the counts after all say. Somebody new does.
    async cell({ world }, who, target) {
      const { token } = await world.logIn()
      const acc_nbr = target === 'own' ? freshNumber() : freshNumber(who)
      const fault = async () => {
        const { body } = await world.call('GET /score', { token })
        return body.items?.[0]?.acc_nbr !== acc_nbr && 'it is not among their own'
      }
      return { token, body: rating({ acc_nbr }), status: 201, fault }
    },
  },
  'GET /score': {
    auth: 'required',
    async cell(_scene, who) {
      const count = { author: 3, stranger: 1, holder: 0, operator: 0 }[who]
      return {
        status: 200,
        fault: ({ body }) => body.items?.length !== count && `${body.items?.length} of ${count}`,
      }
    },
  },
  'POST /query': {
    auth: 'required',
    async cell(_scene, who, target) {
      const count = visible(who, target)
      return {
        body: { acc_nbr: accountOf(who, target) },
        status: 200,
        fault: ({ body }) => body.items?.length !== count && `${body.items?.length} of ${count}`,
      }
    },
  },
  'POST /query/summary': {
    auth: 'required',
    async cell(_scene, who, target) {
      const count = visible(who, target)
      return {
        body: { acc_nbr: accountOf(who, target) },
        status: 200,
        fault: ({ body }) => body.count !== count && `${body.count} of ${count}`,
      }
    },
  },
  'GET /form': { auth: 'none', cell: async () => ({ status: 200 }) },
}

let numbers = 0
function freshNumber(who: Person = 'author'): string {
  return `1${living.indexOf(who) + 3}7${String(++numbers).padStart(8, '0')}`
}
