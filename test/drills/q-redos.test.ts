import { afterEach, expect, test } from 'vitest'
import { ratingForm } from '../../shared/domain/form.ts'
import { reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import { type DrillWorld, startDrillWorld } from '../support/drill-world.ts'
import type { Patch } from '../support/patched-bundle.ts'
import { rating } from '../support/ratings.ts'
import { patternsIn, patternsOf, slowness } from '../support/slow-patterns.ts'
import { readVectors } from '../support/vectors.ts'

const LONGEST_MS = 50

/** Reads our own statements, each once, and no text from outside: values are bound. Quadratic in a quote without its end. */
const NEVER_FED = 'shared/store/parameters.ts'

const longTexts = readVectors<{
  cases: { id: string; repeat: { unit: string; n: number }; tail: string }[]
}>('redos-strings').cases.map(({ id, repeat, tail }) => ({
  id,
  text: repeat.unit.repeat(repeat.n) + tail,
}))
// Each as long as a body may hold as well: the others are refused for their length alone.
const texts = longTexts.flatMap(({ id, text }) => [
  { id, text },
  { id: `${id}, as long as is read`, text: fitting(text) },
])

function fitting(text: string): string {
  const tail = text.slice(-2)
  return `${text.slice(0, 12_000).toWellFormed()}${tail.toWellFormed()}`
}

/** Where a client's text comes in. */
type Field = (
  text: string,
  token: string,
) => [route: string, options: Parameters<DrillWorld['call']>[1]]
const bodyField =
  (route: string, name: string, others: Record<string, unknown> = {}): Field =>
  (text, token) => [route, { token, body: { ...others, [name]: text } }]
const header =
  (name: string, spell: (text: string) => string = (text) => text): Field =>
  (text, token) => ['POST /score', { token, headers: { [name]: spell(text) }, body: rating() }]
const fields: Readonly<Record<string, Field>> = {
  code: bodyField('POST /login', 'code'),
  device: bodyField('POST /login', 'device', { code: 'unknown' }),
  proofKey: bodyField('POST /login', 'proofKey', { code: 'unknown' }),
  encryptedData: bodyField('POST /login/user-data', 'encryptedData', { iv: 'AAAA' }),
  iv: bodyField('POST /login/user-data', 'iv', { encryptedData: 'AAAA' }),
  rawData: bodyField('POST /login/user-data', 'rawData', { encryptedData: 'AAAA', iv: 'AAAA' }),
  signature: bodyField('POST /login/user-data', 'signature', { encryptedData: 'AAAA', iv: 'AAAA' }),
  refreshToken: bodyField('POST /login/refresh', 'refreshToken'),
  'phone code': bodyField('POST /login/phone', 'code'),
  loginCode: bodyField('POST /login/phone', 'loginCode', { code: 'unknown' }),
  'code of who leaves': bodyField('DELETE /login/me', 'code'),
  acc_nbr: bodyField('POST /score', 'acc_nbr', rating()),
  grade1: bodyField('POST /score', 'grade1', rating()),
  txt1: bodyField('POST /score', 'txt1', rating()),
  'acc_nbr of a query': bodyField('POST /query', 'acc_nbr'),
  cursor: bodyField('POST /query', 'cursor', { acc_nbr: '13800138000' }),
  since: bodyField('POST /query', 'since', { acc_nbr: '13800138000' }),
  'cursor in a query string': (text, token) => ['GET /score', { token, query: { cursor: text } }],
  'limit in a query string': (text, token) => ['GET /score', { token, query: { limit: text } }],
  'a form': (text, token) => [
    'POST /score',
    { token, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: text },
  ],
  'a body': (text, token) => ['POST /score', { token, body: text }],
  'a token': (text) => ['GET /score', { token: text }],
  'an authorization': header('authorization'),
  'a key': header('idempotency-key'),
  'a content type': header('content-type'),
  'a content encoding': header('content-encoding'),
  'a proof': header('x-session-proof'),
  'an origin': header('origin'),
  'an etag': (text) => ['GET /form', { headers: { 'if-none-match': text } }],
  'a path': (text, token) => [`DELETE /login/devices/${text.replaceAll(/[\s/]/g, '-')}`, { token }],
}

let world: DrillWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

/** Texts in fields that took longer than they may, each tried again twice: this machine may have been at something else. */
async function slowFields(
  patches: readonly Patch[],
  only?: string,
): Promise<{ cells: number; slow: string[] }> {
  const started = await startDrillWorld({ patches })
  world = started
  const { token } = await started.logIn()
  const slow: string[] = []
  let cells = 0
  for (const [name, field] of Object.entries(fields)) {
    if (only !== undefined && name !== only) continue
    for (const { id, text } of texts) {
      cells++
      let ms = Number.POSITIVE_INFINITY
      for (let attempt = 0; attempt < 3 && ms > LONGEST_MS; attempt++) {
        const [route, options] = field(text, token)
        const cpu = process.cpuUsage()
        await started.call(route, options)
        const { user, system } = process.cpuUsage(cpu)
        ms = (user + system) / 1000
      }
      if (ms > LONGEST_MS) slow.push(`${id} as ${name}: ${Math.round(ms)} ms`)
    }
  }
  return { cells, slow }
}

test(`no text takes longer than ${LONGEST_MS} ms, in whatever field, and no pattern can be made slow`, async () => {
  const { cells, slow } = await slowFields([])
  const form = { file: 'the form', source: ratingForm.account.pattern, flags: '' }
  const patterns = [...patternsIn(['functions', 'shared']), form]
  const vulnerable: string[] = []
  for (const pattern of patterns) {
    const why = await slowness(pattern)
    if (why !== undefined && pattern.file !== NEVER_FED)
      vulnerable.push(`${pattern.file}: /${pattern.source}/ ${why}`)
  }
  const figures = {
    texts: texts.length,
    fields: Object.keys(fields).length,
    cells,
    slow: slow.length,
    patterns: patterns.length,
    vulnerable: vulnerable.length,
  }
  await reportDrill({ drill: 'Q', figures, passed: slow.length + vulnerable.length === 0 })
  expect(slow).toEqual([])
  expect(vulnerable).toEqual([])
  expect(patterns.length).toBeGreaterThan(50)
}, 600_000)

test('a pattern that takes exponential time is found in the sources', async () => {
  const [planted] = patternsOf('const bad: RegExp = /^(a|a)*$/', 'planted.ts')
  const caught = planted !== undefined && (await slowness(planted)) !== undefined
  await reportBrokenVariant({ drill: 'Q', variant: 'linear patterns', caught })
  expect(caught).toBe(true)
})

test('a build that tries a slow pattern on a field is found', async () => {
  const { slow } = await slowFields(
    [
      {
        file: 'functions/login/fields.ts',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source that is looked for
        find: 'v.regex(/^[\\x21-\\x7e]{1,128}$/, `登录凭证（${name}）格式不正确`)',
        put: 'v.regex(/^[\\x21-\\x7e]{1,128}$|^(?:.*a){2}x$/, name)',
      },
    ],
    'code',
  )
  await reportBrokenVariant({
    drill: 'Q',
    variant: 'a linear pattern of codes',
    caught: slow.length > 0,
  })
  expect(slow).not.toEqual([])
})
