import { afterEach, describe, expect, test } from 'vitest'
import { reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import { type DrillWorld, startDrillWorld } from '../support/drill-world.ts'
import type * as echoServer from '../support/echo-server.ts'
import { findEndpoints } from '../support/endpoints.ts'
import { getRequest, malformedRequests } from '../support/malformed-requests.ts'
import { type BrokenBuild, loadPatched, type Patch } from '../support/patched-bundle.ts'
import { openRaw, statusesIn } from '../support/raw-http.ts'
import { readVectors } from '../support/vectors.ts'

const upgrades: readonly [name: string, message: string][] = [
  ['WebSocket', 'connection: upgrade\r\nupgrade: websocket'],
  ['HTTP/2', 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk'],
  ['TLS', 'connection: Upgrade\r\nupgrade: TLS/1.2'],
].map(([name, headers]) => [
  `an upgrade to ${name}`,
  `GET /facts HTTP/1.1\r\nhost: a\r\n${headers}\r\n\r\n${getRequest('/facts')}`,
])
const messages = [...malformedRequests, ...upgrades]

/** The same bytes, in pieces or behind a good request. */
interface Variant {
  name: string
  pieces: Buffer[]
  /** Good requests in front, which are answered before. */
  good: number
}

function variantsOf(message: string | Buffer): Variant[] {
  const bytes = Buffer.from(message as string)
  const cut = (...at: number[]): Buffer[] =>
    [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length))
  const good = Buffer.from('GET /facts HTTP/1.1\r\nhost: a\r\n\r\n')
  const third = Math.max(1, Math.floor(bytes.length / 3))
  return [
    { name: 'whole', pieces: [bytes], good: 0 },
    { name: 'in two', pieces: cut(third), good: 0 },
    { name: 'in three', pieces: cut(third, 2 * third), good: 0 },
    { name: 'but for its last byte', pieces: cut(bytes.length - 1), good: 0 },
    { name: 'after its first byte', pieces: cut(1), good: 0 },
    { name: 'behind a good one', pieces: [good, bytes], good: 1 },
    { name: 'in one piece with a good one', pieces: [Buffer.concat([good, bytes])], good: 1 },
  ]
}

interface RawResult {
  sent: number
  wrong: string[]
}

/** Sends everything in every variant to a server of its own. */
async function sendAll(patches: readonly Patch[], only?: readonly string[]): Promise<RawResult> {
  const { startEchoServer } = await loadPatched<typeof echoServer>(
    ['test/support/echo-server.ts'],
    patches,
  )
  const server = await startEchoServer()
  const wrong: string[] = []
  let sent = 0
  try {
    for (const [name, message] of messages) {
      if (only && !only.includes(name)) continue
      for (const variant of variantsOf(message)) {
        sent++
        const seenBefore = server.events.length
        const statuses = await send(server.url, variant)
        const seen = server.events.length - seenBefore
        const expected = [...Array<number>(variant.good).fill(200), 400].join()
        // A server may end the connection before a good one in the same piece was answered; it never answers for the bad one.
        const isRefused = statuses.join() === expected || statuses.join() === '400'
        const isCut = variant.good > 0 && (statuses.length === 0 || statuses.join() === '200')
        if (!isRefused && !isCut)
          wrong.push(`${name} ${variant.name}: ${statuses.join() || 'no answer'}`)
        if (seen > variant.good) wrong.push(`${name} ${variant.name}: the function saw it`)
      }
    }
  } finally {
    await server.stop()
  }
  return { sent, wrong }
}

async function send(url: string, { pieces, good }: Variant): Promise<number[]> {
  const connection = await openRaw(url)
  for (const [index, piece] of pieces.entries()) {
    connection.write(piece)
    if (index === pieces.length - 1) break
    // So that the pieces arrive apart: behind the answer of a good one, or in a packet of their own.
    if (good > 0) await connection.until(/\r\n\r\n.*\}/s).catch(() => {})
    else await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const silence = new Promise<string>((resolve) =>
    setTimeout(() => {
      resolve(connection.received())
      connection.reset()
    }, 3000).unref(),
  )
  return statusesIn(await Promise.race([connection.ended, silence]))
}

const bodies = readVectors<{ cases: { id: string; body: string }[] }>('json-bodies-hostile').cases
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
const ownBodies = [
  ...bodies,
  ...[17, 5000, 8000].map((levels) => ({ id: `${levels} levels`, body: nested(levels) })),
  ...[17, 5000].map((levels) => ({
    id: `${levels} levels in a field`,
    body: `{"acc_nbr":${nested(levels)}}`,
  })),
  { id: 'half a character', body: '{"acc_nbr":"\\ud800"}' },
  { id: 'nothing', body: '' },
  { id: 'a number beyond all', body: '{"grade1":1e400}' },
]
const postRoutes = (await findEndpoints())
  .map(({ route }) => route)
  .filter((route) => route.startsWith('POST ') || route === 'DELETE /login/me')

let world: DrillWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

/** Every hostile body to every route that reads one. None is anything but refused, by name. */
async function sendBodies(patches: readonly Patch[]): Promise<RawResult> {
  const started = await startDrillWorld({ patches })
  world = started
  const wrong: string[] = []
  let sent = 0
  for (const route of postRoutes) {
    const { token } = await started.logIn()
    for (const { id, body } of ownBodies) {
      // Ending this session with an empty object is what it is for.
      if (route === 'POST /logout') continue
      sent++
      const { status, body: said } = await started.call(route, {
        token,
        body,
        headers: { 'content-type': 'application/json' },
      })
      if (status !== 400 && status !== 403) wrong.push(`${id} to ${route}: ${status} ${said?.code}`)
      if (id.includes('levels') && said?.code !== 'too-deep')
        wrong.push(`${id} to ${route}: ${said?.code}`)
    }
  }
  if ('isAdmin' in {}) wrong.push('the prototype of all objects was changed')
  return { sent, wrong }
}

describe('what is no request', () => {
  test('is refused however it is cut, and the function never sees it; hostile JSON is refused by every route', async () => {
    const raw = await sendAll([])
    const json = await sendBodies([])
    const wrong = [...raw.wrong, ...json.wrong]
    const figures = {
      messages: messages.length,
      raw: raw.sent,
      json: json.sent,
      wrong: wrong.length,
    }
    await reportDrill({ drill: 'M', figures, passed: wrong.length === 0 })
    expect(wrong).toEqual([])
    expect(raw.sent).toBeGreaterThan(200)
    expect(json.sent).toBeGreaterThan(200)
  }, 300_000)
})

const brokenServers: readonly (BrokenBuild & { messages: readonly string[] })[] = [
  {
    name: 'the strict parser',
    messages: ['content-length and transfer-encoding'],
    patches: [
      {
        file: 'shared/transport/server/web.ts',
        find: 'insecureHTTPParser: false',
        put: 'insecureHTTPParser: true',
      },
    ],
  },
  {
    name: 'the refusal of HTTP/0.9',
    messages: ['a request line of HTTP/0.9'],
    patches: [
      {
        file: 'shared/transport/server/web.ts',
        find: 'request.httpVersionMajor < 1',
        put: 'request.httpVersionMajor < 0',
      },
    ],
  },
  {
    name: 'the refusal of upgrades',
    messages: ['an upgrade to WebSocket'],
    patches: [
      {
        file: 'shared/transport/server/web.ts',
        find: "server.on('upgrade', (_request, socket) => refuse(socket, undefined, refusal))",
        put: '',
      },
    ],
  },
]

test.each(brokenServers)(
  'a server without $name is found',
  async ({ name, patches, messages: only }) => {
    const { wrong } = await sendAll(patches, only)
    await reportBrokenVariant({ drill: 'M', variant: name, caught: wrong.length > 0 })
    expect(wrong).not.toEqual([])
  },
)

test.each<BrokenBuild>([
  {
    name: 'the look at the depth of JSON',
    patches: [
      {
        file: 'shared/transport/body.ts',
        find: "if (isTooDeep(text)) throw new Problem('too-deep')",
        put: 'void isTooDeep',
      },
      {
        file: 'shared/transport/body.ts',
        find: "if (depth === BODY_MAX_DEPTH) throw new Problem('too-deep')",
        put: '',
      },
    ],
  },
  {
    name: 'the closed list of fields',
    patches: [
      {
        file: 'functions/query-scores/summary.ts',
        find: 'input: v.strictObject({ acc_nbr: KnownAccountNumber })',
        put: "input: v.object({ acc_nbr: v.optional(v.any(), '13800138000') })",
      },
    ],
  },
])('a build without $name is found', async ({ name, patches }) => {
  const { wrong } = await sendBodies(patches)
  await reportBrokenVariant({ drill: 'M', variant: name, caught: wrong.length > 0 })
  expect(wrong).not.toEqual([])
})
