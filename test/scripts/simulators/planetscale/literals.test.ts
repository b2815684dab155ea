import { connect, format } from '@planetscale/database'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { translate } from '../../../../scripts/simulators/planetscale/dialect.ts'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../../../scripts/simulators/planetscale/server.ts'
import { tokenize } from '../../../../scripts/simulators/planetscale/sql-tokens.ts'
import { openSqliteEngine } from '../../../../scripts/simulators/planetscale/sqlite-engine.ts'

/** The driver's own decoder drops a byte order mark, so exactness is judged on the bytes. */
function exactText(_: unknown, value: string | null) {
  return value === null ? null : Buffer.from(value, 'latin1').toString('utf8')
}

const wellFormed = fc.string({ unit: 'grapheme', maxLength: 40 })
const quoteHeavy = fc.string({
  unit: fc.constantFrom(
    "'",
    '"',
    '\\',
    '\0',
    '\n',
    '\r',
    '\t',
    '\b',
    '\x1a',
    '%',
    '_',
    '?',
    '`',
    ';',
    '-',
    '#',
    '/*',
    '*/',
    '😀',
    'a',
  ),
  maxLength: 30,
})

describe('literals as the driver writes them', () => {
  test('any text is read back as it was given', () => {
    fc.assert(
      fc.property(fc.oneof(wellFormed, quoteHeavy), (text) => {
        expect(tokenize(format('select ?', [text])).at(-1)).toMatchObject({ kind: 'text', text })
      }),
    )
  })

  test('any bytes are read back as they were given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const token = tokenize(format('select ?', [bytes])).at(-1)
        expect(token?.kind).toBe('bytes')
        expect([...(token?.bytes ?? [-1])]).toEqual([...bytes])
      }),
    )
  })

  test('a text never becomes part of the statement', () => {
    fc.assert(
      fc.property(quoteHeavy, (text) => {
        const translated = translate(format('select * from t where a = ? and b = 1', [text]))
        if (translated.kind !== 'select') throw new Error('not a select')
        expect(translated.statement).toEqual({
          sql: 'select * from t where a = ? and b = 1',
          parameters: [text],
        })
      }),
    )
  })

  test.each([
    ["'a' 'b'", 'ab'],
    ["_utf8mb4'x'", 'x'],
    [String.raw`'\%\_\q\''`, String.raw`\%\_q'`],
    ['"a""b\'"', 'a"b\''],
  ])('%s is one text', (literal, text) => {
    expect(tokenize(literal)).toMatchObject([{ kind: 'text', text }])
  })

  test.each([
    ["x'0aFF'", '0aff'],
    ['0x0aff', '0aff'],
    ['0xfff', '0fff'],
    ["_binary'é'", 'c3a9'],
  ])('%s is bytes', (literal, hex) => {
    const [token] = tokenize(literal)
    expect(Buffer.from(token?.bytes ?? []).toString('hex')).toBe(hex)
  })

  test('comments are no part of a statement, and quotes in them mean nothing', () => {
    const words = tokenize("select /* it's */ 1 -- don't\n, 2 # won't").map(({ text }) => text)
    expect(words).toEqual(['select', '1', ',', '2'])
  })

  test.each([
    "select 'a",
    'select `a',
    "select x'0",
    "select x'0g'",
    'select /* a',
    'select \\',
    'select @',
  ])('%s is a syntax error', (statement) => {
    expect(() => translate(statement)).toThrow(expect.objectContaining({ errno: 1064 }))
  })

  test.each(['select 1; select 2', 'select ?', 'drop', '', 'nonsense'])(
    '"%s" is a syntax error, not something else',
    (statement) => {
      expect(() => translate(statement)).toThrow(expect.objectContaining({ errno: 1064 }))
    },
  )
})

describe('through the driver', () => {
  let server: OfflinePlanetScale
  beforeAll(async () => {
    server = await startOfflinePlanetScale({ engine: await openSqliteEngine(':memory:') })
    await connect({ url: server.url }).execute(
      'create table texts (id int primary key, txt text not null, raw varbinary(64) null)',
    )
  })
  afterAll(() => server.close())

  test('every text and every byte string is stored and found exactly', async () => {
    const connection = connect({ url: server.url })
    let id = 0
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(wellFormed, quoteHeavy, fc.constantFrom('\ufeffx', 'a\0', '\0', '')),
        fc.uint8Array({ maxLength: 40 }),
        async (text, bytes) => {
          id++
          await connection.execute('insert into texts (id, txt, raw) values (?, ?, ?)', [
            id,
            text,
            bytes,
          ])
          const where = 'from texts where txt = ? and raw = ? and id = ?'
          const { rows } = await connection.execute(`select txt ${where}`, [text, bytes, id], {
            as: 'array',
            cast: exactText,
          })
          expect(rows).toEqual([[text]])
          const measured = await connection.execute<Record<string, unknown>>(
            `select length(txt) as byte_count, char_length(txt) as char_count, raw ${where}`,
            [text, bytes, id],
          )
          expect(measured.rows).toEqual([
            {
              byte_count: `${Buffer.byteLength(text)}`,
              char_count: `${[...text].length}`,
              raw: bytes,
            },
          ])
        },
      ),
      { numRuns: 60 },
    )
  })
})
