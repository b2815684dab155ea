/** Events as every platform sends them, changed in some places at random. */

import type { InvocationContext } from '../../shared/transport/invocation.ts'
import { somebody } from './drill-fake-world.ts'
import type { FunctionName } from './drill-functions.ts'
import type { Chance } from './drill-random.ts'
import { recordedEvents } from './http-events.ts'
import { articleForm, rating } from './ratings.ts'

export interface FuzzedEvent {
  event: unknown
  context: InvocationContext
  /** The function it goes to, mostly the one that has the route. */
  owner: FunctionName
}

interface Request {
  method: string
  path: string
  body?: unknown
  isForm?: true
}

/** A good request of every route. */
function requestsOf(routes: readonly string[]): Request[] {
  const bodies: Record<string, unknown> = {
    'POST /login': { code: 'a-code', device: 'phone', proofKey: 'A'.repeat(43) },
    'POST /login/refresh': { refreshToken: `rt_k1.${'A'.repeat(91)}` },
    'POST /login/phone': { code: 'a-code' },
    'POST /login/user-data': { encryptedData: 'AAAA', iv: 'AAAAAAAAAAAAAAAAAAAAAA==' },
    'DELETE /login/me': { code: 'a-code' },
    'POST /score': rating(),
    'POST /query': { acc_nbr: '13800138000', limit: 5 },
    'POST /query/summary': { acc_nbr: '13800138000' },
  }
  const requests = routes.map((route): Request => {
    const [method = '', path = ''] = route.split(' ')
    const filled = path.replace(/\{\w+\}/, somebody.sessionId)
    return { method, path: filled, ...(bodies[route] ? { body: bodies[route] } : {}) }
  })
  return [...requests, { method: 'POST', path: '/score', body: rating(), isForm: true }]
}

function ownerOf({ method, path }: Request): FunctionName {
  if (path === '/score' && method === 'POST') return 'submit-score'
  return path.startsWith('/log') ? 'login' : 'query-scores'
}

type Members = Record<string, unknown>

/** The shapes of the platforms: those recorded that have a method. */
const shapes = [...recordedEvents.values()].filter(
  (event): event is Members => typeof event === 'object' && event !== null && 'httpMethod' in event,
)

function nested(depth: number): unknown {
  let value: unknown = []
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { a: value }
  return value
}

const circle: Members = {}
circle.self = circle

const hostileValues: readonly unknown[] = [
  ...[undefined, null, true, false, 0, -0, 1, -1, 1.5, 1e21, Number.NaN, Number.POSITIVE_INFINITY],
  ...[10n, Symbol('s'), () => 1, new Date(0), new Map([[1, 2]]), /a/, new Uint8Array(3), circle],
  ...['', ' ', '\0', '\ud800', '\udc00x', '😀', 'é', 'e\u0301', '\u202e', '\ufeff', "' or 1=1 -- "],
  ...['0', '00', '1e3', '0x10', 'null', 'true', '[]', '{}', '__proto__', 'constructor', '/', '//'],
  ...[
    '../..',
    '%',
    '%00',
    '%ff',
    '{{7*7}}',
    '<script>',
    '=1+1',
    'a'.repeat(300),
    '9'.repeat(20_000),
  ],
  ...[
    [],
    {},
    [[]],
    [null],
    { length: 5 },
    { toString: 1 },
    JSON.parse('{"then":1}'),
    nested(20),
    nested(6000),
  ],
  JSON.parse('{"__proto__":{"isAdmin":true}}'),
  JSON.parse('{"constructor":{"prototype":{"isAdmin":true}}}'),
]

const bodyTexts: readonly string[] = [
  '',
  '{',
  '[]',
  'null',
  '1',
  '"text"',
  '{"a":1e400}',
  '{"a":1,"a":2}',
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  '{"txt1":"\\ud800"}',
  '[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]',
  '['.repeat(8000) + ']'.repeat(8000),
  'txt1=%ff',
  'txt1=%',
  'grade1=1&grade1=2',
  '__proto__=1&txt1="a"',
  `"${'\u0000'.repeat(40)}"`,
  'x'.repeat(17_000),
]

const contentTypes: readonly unknown[] = [
  'application/json',
  'application/x-www-form-urlencoded',
  'APPLICATION/JSON; charset=UTF-8',
  'application/json; charset=gbk',
  'text/plain',
  'multipart/form-data; boundary=x',
  '',
  ['application/json'],
  null,
]

/** Gives an event at a time. */
export function eventMutator({
  chance,
  token,
  appid,
  routes,
}: {
  chance: Chance
  token: string
  appid: string
  routes: readonly string[]
}): () => FuzzedEvent {
  const requests = requestsOf(routes)
  const functionNames: readonly FunctionName[] = ['login', 'submit-score', 'query-scores']
  const vouchedFor: InvocationContext = {
    environment: JSON.stringify({ WX_OPENID: somebody.openid, WX_APPID: appid }),
  }

  /** A request in the shape of a platform. */
  const httpEventOf = ({ method, path, body, isForm }: Request): Members => {
    const shape = structuredClone(chance.pick(shapes))
    const text = isForm ? articleForm(body as Members) : JSON.stringify(body)
    const isBase64 = chance.below(5) === 0
    return {
      ...shape,
      httpMethod: method,
      path,
      headers: {
        ...(shape.headers as Members),
        authorization: `JWT ${token}`,
        'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      },
      ...(body === undefined
        ? { body: '' }
        : { body: isBase64 ? Buffer.from(text ?? '').toString('base64') : text }),
      isBase64Encoded: body !== undefined && isBase64,
    }
  }

  const changeSomewhere = (root: Members): void => {
    let target = root
    for (;;) {
      const names = Object.keys(target)
      const name = names.length > 0 ? chance.pick(names) : 'a'
      const inner = target[name]
      const isOpen = typeof inner === 'object' && inner !== null && !isHostile(inner)
      if (isOpen && chance.below(3) > 0) {
        target = inner as Members
        continue
      }
      const kind = chance.below(6)
      if (kind === 0) delete target[name]
      else if (kind === 1) target[chance.pick(['__proto__', 'a', '', name.toUpperCase()])] = inner
      else target[name] = chance.pick(hostileValues)
      return
    }
  }

  const damageText = (text: string): string => {
    const at = chance.below(text.length + 1)
    const kind = chance.below(5)
    if (kind === 0) return text.slice(0, at)
    if (kind === 1) return text.slice(0, at) + chance.pick(bodyTexts) + text.slice(at)
    if (kind === 2) return text.slice(0, at) + text.slice(at + 1 + chance.below(4))
    if (kind === 3) return chance.pick(bodyTexts)
    return text.slice(0, at) + String.fromCharCode(chance.below(0x10000)) + text.slice(at + 1)
  }

  const changeBody = (event: Members): void => {
    if (typeof event.body !== 'string' || event.body === '') {
      event.body = chance.pick(bodyTexts)
      return
    }
    const isBase64 = event.isBase64Encoded === true
    const text = isBase64 ? Buffer.from(event.body, 'base64').toString() : event.body
    let changed = damageText(text)
    const members = chance.below(2) === 0 ? parsedMembers(text) : undefined
    if (members) {
      changeSomewhere(members)
      changed = jsonText(members) ?? text
    }
    event.body = isBase64 ? Buffer.from(changed).toString('base64') : changed
    if (chance.below(20) === 0) event.isBase64Encoded = !isBase64
  }

  const changeHeaders = (event: Members): void => {
    const headers = event.headers
    if (typeof headers !== 'object' || headers === null || isHostile(headers)) return
    const members = headers as Members
    const kind = chance.below(6)
    if (kind === 0) members['content-type'] = chance.pick(contentTypes)
    else if (kind === 1) members.authorization = damageText(`JWT ${token}`)
    else if (kind === 2) members['content-encoding'] = chance.pick(['gzip', 'identity', '', 'br'])
    else if (kind === 3) members['idempotency-key'] = chance.pick(hostileValues)
    else if (kind === 4) members['x-forwarded-for'] = chance.pick(hostileValues)
    else changeSomewhere(members)
  }

  return () => {
    const request = chance.pick(requests)
    const owner = chance.below(12) === 0 ? chance.pick(functionNames) : ownerOf(request)
    if (chance.below(60) === 0) return { event: chance.pick(hostileValues), context: {}, owner }
    const isFunctionCall = chance.below(5) === 0
    const context: Members = isFunctionCall ? { ...vouchedFor } : {}
    const event: Members = isFunctionCall
      ? {
          route: `${request.method} ${request.path}`,
          ...(request.body === undefined ? {} : { body: structuredClone(request.body) }),
        }
      : httpEventOf(request)
    for (let changes = chance.below(4); changes > 0; changes--) {
      const kind = chance.below(4)
      if (kind === 0 && !isFunctionCall) changeBody(event)
      else if (kind === 1 && !isFunctionCall) changeHeaders(event)
      else changeSomewhere(event)
    }
    if (chance.below(25) === 0) changeSomewhere(context)
    return { event, context, owner }
  }
}

function isHostile(value: unknown): boolean {
  return hostileValues.includes(value) || !isPlain(value)
}

function isPlain(value: unknown): boolean {
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
}

/** Nothing where JSON has no such value. */
function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** Nothing where the text is no JSON, or no longer. */
function parsedMembers(text: string): Members | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as Members
  } catch {
    return undefined
  }
}
