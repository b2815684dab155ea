import { describe, expect, test } from 'vitest'
import { DbError } from '../../../shared/store/db.ts'
import { answerProblem, castValue, refusalFrom } from '../../../shared/store/planetscale-answer.ts'

const EXPECTATION = { outcomeWhenLost: 'unknown', control: false } as const

describe('an answer', () => {
  test.each([
    '{"result":{}}',
    '{"session":{},"result":{"rowsAffected":"1"}}',
    '{"result":{"fields":[{"name":"a"}],"rows":[{"lengths":["-1"]},{"lengths":["0"]},{"lengths":["1"],"values":"YQ=="}]}}',
    '{"error":{"message":"x (errno 1062) (sqlstate 23000)"}}',
  ])('%s is complete', (body) => {
    expect(answerProblem(200, body, EXPECTATION)).toBeUndefined()
  })

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '"result"',
    '<html>"result"</html>',
    '{"session":{}}',
    '{"result":null}',
    '{"result":5}',
    '{"result":[]}',
    '{"result":{},"error":"x"}',
    '{"result":{},"error":{"message":5}}',
    '{"result":{"rows":5}}',
    '{"result":{"rows":[5]}}',
    '{"result":{"rowsAffected":1}}',
    '{"result":{"rowsAffected":"many"}}',
    '{"result":{"fields":[{"name":"a"}],"rows":[{}]}}',
    '{"result":{"fields":[{"name":"a"}],"rows":[{"lengths":[]}]}}',
    '{"result":{"fields":[{"name":"a"}],"rows":[{"lengths":["x"]}]}}',
    '{"result":{"fields":[{"name":"a"}],"rows":[{"lengths":["2"],"values":"YQ=="}]}}',
    '{"result":{"fields":[{"name":"a"}],"rows":[{"lengths":["1"]}]}}',
    '{"result":{"fields":[{"name":"a"}],"rows":[{"lengths":["1"],"values":5}]}}',
  ])('%s is not', (body) => {
    expect(answerProblem(200, body, EXPECTATION)).toMatchObject({
      failure: 'bad-answer',
      outcome: 'unknown',
    })
  })

  test('to BEGIN or COMMIT may be a session alone, but not nothing', () => {
    const control = { ...EXPECTATION, control: true }
    expect(answerProblem(200, '{"session":{"signature":"x"}}', control)).toBeUndefined()
    expect(answerProblem(200, '{"session":"x"}', control)).toBeUndefined()
    expect(answerProblem(200, '{}', control)).toBeInstanceOf(DbError)
  })

  test.each([
    [401, 'refused', 'none'],
    [403, 'refused', 'none'],
    [404, 'bad-answer', 'none'],
    [500, 'bad-answer', 'unknown'],
    [504, 'bad-answer', 'unknown'],
  ])('with status %i is "%s", outcome %s', (status, kind, outcome) => {
    expect(answerProblem(status, '{"result":{}}', EXPECTATION)).toMatchObject({
      failure: kind,
      outcome,
    })
  })
})

describe('a refusal', () => {
  const vitess = (text: string, sql = 'insert'): string =>
    `target: db.-.primary: vttablet: rpc error: code = Unknown desc = ${text} (CallerID: x): Sql: "${sql}", BindVars: {REDACTED}`

  test('gives its number and state', () => {
    const message = vitess("Duplicate entry 'a' for key 'k' (errno 1062) (sqlstate 23000)")
    expect(refusalFrom(message, 'unknown')).toMatchObject({
      errno: 1062,
      sqlState: '23000',
      outcome: 'none',
    })
  })

  test('ignores a number that is part of the statement', () => {
    const message = vitess('x (errno 1062) (sqlstate 23000)', "'(errno 1213) (sqlstate 40001)'")
    expect(refusalFrom(message, 'unknown').errno).toBe(1062)
  })

  test('believes no number when a quoted value brings a second one', () => {
    const message = vitess(
      "Duplicate entry '(errno 1213) (sqlstate 40001)' (errno 1062) (sqlstate 23000)",
    )
    expect(refusalFrom(message, 'unknown')).toMatchObject({ errno: undefined, outcome: 'unknown' })
  })

  test('without a number leaves a write in doubt', () => {
    expect(refusalFrom('transaction 1: ended at …', 'unknown')).toMatchObject({
      errno: undefined,
      outcome: 'unknown',
    })
    expect(refusalFrom('transaction 1: ended at …', 'none').outcome).toBe('none')
  })

  test.each([1053, 1105, 1317, 2006, 2013])('with %i leaves a write in doubt', (errno) => {
    const message = vitess(`x (errno ${errno}) (sqlstate HY000)`)
    expect(refusalFrom(message, 'unknown')).toMatchObject({ errno, outcome: 'unknown' })
  })
})

describe('a value', () => {
  const latin1 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('latin1')
  const field = (type: string, charset: number) => ({ name: 'a', type, charset })

  test.each([
    ['INT64', '9007199254740991', 9007199254740991],
    ['UINT64', '5', 5],
    ['INT8', '-128', -128],
    ['DECIMAL', '12', 12],
    ['DECIMAL', '3.5000', 3.5],
    ['FLOAT64', '1e-7', 1e-7],
    ['YEAR', '2026', 2026],
  ])('of type %s, %s, is the number %d', (type, text, number) => {
    expect(castValue(field(type, 63), text)).toBe(number)
  })

  test.each([
    ['UINT64', '18446744073709551615'],
    ['DECIMAL', '9007199254740993'],
    ['INT64', 'x'],
  ])('of type %s, %s, is refused: no number holds it exactly', (type, text) => {
    expect(() => castValue(field(type, 63), text)).toThrow(DbError)
  })

  test.each(['BINARY', 'VARBINARY', 'BLOB', 'BIT', 'GEOMETRY'])('of type %s is bytes', (type) => {
    const bytes = Uint8Array.from([0, 200, 255])
    expect(castValue(field(type, 63), latin1(bytes))).toEqual(bytes)
  })

  test.each([
    ['VARCHAR', 255],
    ['TEXT', 255],
    ['CHAR', 45],
    ['JSON', 63],
    ['DATETIME', 63],
    ['NULL', 63],
  ])('of type %s with charset %i is text, byte order mark and NUL included', (type, charset) => {
    const text = '\ufeffa\0é😀'
    expect(castValue(field(type, charset), latin1(text))).toBe(text)
  })
})
