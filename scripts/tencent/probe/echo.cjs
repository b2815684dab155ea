// What the probe uploads: tells names and types of what the platform hands over, never values that might be secret. As a
// module it is an event function, as a program a Web function.
'use strict'
const { writeSync } = require('node:fs')
const { createServer } = require('node:http')
const { randomBytes } = require('node:crypto')

// Replaced before each upload, so that an answer tells which code it comes from.
const CODE = 'CODE_NAME'
const instance = randomBytes(4).toString('hex')
let calls = 0
let ticks = 0
let ticksAtLastAnswer = 0
let answeredAt = 0

function shapeOf(value) {
  if (Array.isArray(value)) return [...new Set(value.map(shapeOf))]
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, shapeOf(value[name])]))
}

function placeOf(address) {
  const text = String(address ?? '').replace(/^::ffff:/, '')
  if (text === '') return 'none'
  if (/^(127\.|::1$)/.test(text)) return 'loopback'
  if (
    /^(10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(
      text,
    )
  )
    return 'private'
  if (/^(9|11)\./.test(text)) return 'platform'
  // What the probe sends in place of an address of its own (RFC 5737).
  if (/^192\.0\.2\./.test(text)) return 'forged'
  return /^[0-9a-f.:]+$/i.test(text) ? 'public' : 'no address'
}

function addressesIn(headers, sourceIp) {
  const chain = (text) =>
    String(text ?? '')
      .split(',')
      .map((each) => placeOf(each.trim()))
  return {
    sourceIp: placeOf(sourceIp),
    'x-scf-remote-addr': placeOf(headers['x-scf-remote-addr']),
    'x-forwarded-for': chain(headers['x-forwarded-for']),
    'x-real-ip': placeOf(headers['x-real-ip']),
  }
}

function aboutProcess() {
  return {
    code: CODE,
    instance,
    calls,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    folder: process.cwd(),
    codeFolder: __dirname,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    variableNames: Object.keys(process.env).sort(),
    setting: process.env.PROBE_SETTING ?? null,
    ticksSinceLastAnswer: ticks - ticksAtLastAnswer,
    msSinceLastAnswer: answeredAt === 0 ? null : Date.now() - answeredAt,
  }
}

function jsonReply(body) {
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// A timer that goes on between calls, where the platform lets it; it alone keeps nothing alive.
setInterval(() => {
  ticks += 1
}, 100).unref()

const deeds = {
  linger(_mark, context) {
    context.callbackWaitsForEmptyEventLoop = true
    setTimeout(() => {}, 2000)
  },
  throw() {
    throw new Error('thrown by the probe')
  },
  async sleep() {
    await sleep(20_000)
  },
  exit() {
    process.exit(3)
  },
  print(mark) {
    writeSync(1, `sync-${mark}\n`)
    console.log(`console-${mark}`)
  },
}

const replies = {
  location: () => ({ statusCode: 302, headers: { location: 'https://example.com/' }, body: '' }),
  cookies: () => ({ statusCode: 200, headers: { 'set-cookie': ['a=1', 'b=2'] }, body: '{}' }),
  base64: () => ({
    statusCode: 200,
    headers: {},
    body: Buffer.from('ok').toString('base64'),
    isBase64Encoded: true,
  }),
}

exports.main_handler = async (event, context) => {
  calls += 1
  context.callbackWaitsForEmptyEventLoop = false
  const query = event.queryString ?? event.queryStringParameters ?? {}
  const { deed, mark = '' } = { ...query, ...event.probe }
  if (Object.hasOwn(deeds, String(deed))) await deeds[deed](mark, context)
  const about = {
    ...aboutProcess(),
    version: context.function_version,
    event: shapeOf(event),
    context: shapeOf(context),
    path: event.path ?? null,
    remainingMs: context.getRemainingTimeInMillis?.() ?? null,
    addresses: addressesIn(event.headers ?? {}, event.requestContext?.sourceIp),
    returned: mark === '' ? '' : `returned-${mark}`,
  }
  ticksAtLastAnswer = ticks
  answeredAt = Date.now()
  return Object.hasOwn(replies, String(deed)) ? replies[deed]() : jsonReply(about)
}

if (require.main === module)
  createServer((request, response) => {
    calls += 1
    const { headers, socket, url } = request
    const mark = new URL(url, 'http://probe').searchParams.get('mark') ?? ''
    if (mark) writeSync(1, `sync-${mark}\n`)
    const { body, ...rest } = jsonReply({
      ...aboutProcess(),
      path: url.split('?')[0],
      headerNames: Object.keys(headers).sort(),
      addresses: addressesIn(headers, undefined),
      peer: placeOf(socket.remoteAddress),
      returned: mark === '' ? '' : `returned-${mark}`,
    })
    response.writeHead(rest.statusCode, rest.headers).end(body)
  }).listen(Number(process.env.PORT ?? 9000), '0.0.0.0')
