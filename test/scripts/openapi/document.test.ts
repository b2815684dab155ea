import type { JsonSchema } from '@valibot/to-json-schema'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { type Counterparts, counterparts } from '../../../scripts/openapi/counterparts.ts'
import { describeApi } from '../../../scripts/openapi/document.ts'
import { readEndpoints, type ServedEndpoint } from '../../../scripts/openapi/endpoints.ts'
import { exampleOf } from '../../../scripts/openapi/examples.ts'
import { operations } from '../../../scripts/openapi/operations.ts'
import { readsBody } from '../../../scripts/openapi/problems.ts'
import { inputSchema } from '../../../scripts/openapi/schemas.ts'
import type { OpenApiDocument } from '../../../scripts/openapi/shapes.ts'
import { ratingForm } from '../../../shared/domain/form.ts'
import { readDescription } from '../../support/described-api.ts'

const endpoints = await readEndpoints()
const routes = endpoints.map(({ endpoint }) => endpoint.route)

describe('the description', () => {
  test('has every route that is served, and no other', async () => {
    const { paths } = await describeApi(endpoints)
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.sort()).toEqual([...routes].sort())
    expect(Object.keys(operations).sort()).toEqual([...routes].sort())
  })

  test('of an endpoint that nobody wrote of is refused by its name', async () => {
    const endpoint = { ...first(endpoints).endpoint, route: 'POST /thanks' as const }
    await expect(describeApi([{ ...first(endpoints), endpoint }])).rejects.toThrow(
      'POST /thanks is not described: do so in scripts/openapi/operations.ts.',
    )
  })

  test('of a field that nobody wrote of is refused by its name', async () => {
    const input = v.strictObject({ mystery: v.string() })
    const endpoint = { ...endpointOf('POST /logout'), input: input as never }
    await expect(describeApi([{ ...first(endpoints), endpoint }])).rejects.toThrow(
      'Field mystery has no example',
    )
  })
})

describe('what JSON Schema cannot say', () => {
  const check = v.check((text: string) => text !== 'x', 'no')
  const found = (input: v.GenericSchema): string => {
    try {
      inputSchema({ route: 'POST /thanks', input })
      return 'nothing'
    } catch (error) {
      return (error as Error).message
    }
  }

  test.each<[string, v.GenericSchema, string]>([
    [
      'a check',
      v.object({ a: v.pipe(v.string(), check) }),
      'a: JSON Schema cannot say what this check does',
    ],
    [
      'a check of all fields',
      v.pipe(
        v.object({}),
        v.check(() => true, 'no'),
      ),
      'POST /thanks: JSON Schema cannot say what this check',
    ],
    [
      'one forwarded to a field',
      v.pipe(
        v.object({ a: v.string() }),
        v.forward(
          v.check(() => true, 'no'),
          ['a'],
        ),
      ),
      'this check',
    ],
    [
      'one of a field that may be left out',
      v.object({ a: v.optional(v.pipe(v.string(), check)) }),
      'a: ',
    ],
    [
      'one of a field that may be null',
      v.object({ a: v.nullable(v.pipe(v.string(), check)) }),
      'a: ',
    ],
    ['one in a list', v.object({ a: v.array(v.pipe(v.string(), check)) }), 'a: '],
    ['one in an object', v.object({ a: v.object({ b: v.pipe(v.string(), check) }) }), 'a.b: '],
    ['one of two', v.object({ a: v.union([v.number(), v.pipe(v.string(), check)]) }), 'a: '],
    [
      'one behind a pipe',
      v.object({ a: v.pipe(v.pipe(v.string(), check), v.maxLength(3)) }),
      'a: ',
    ],
    [
      'a transformation',
      v.object({ a: v.pipe(v.string(), v.transform(Number)) }),
      'this transform does',
    ],
    [
      'a range after a transformation',
      v.object({ a: v.pipe(v.string(), v.toNumber(), v.maxValue(3)) }),
      'a: ',
    ],
    [
      'a pattern with flags',
      v.object({ a: v.pipe(v.string(), v.regex(/^a$/i)) }),
      'this regex does',
    ],
    [
      'a second pattern',
      v.object({ a: v.pipe(v.string(), v.regex(/a/), v.regex(/b/)) }),
      'this regex does',
    ],
  ])('is found where nobody wrote it: %s', (_what, input, sentence) => {
    expect(found(input)).toContain(sentence)
  })

  test('is asked for by nothing that it can say', () => {
    const input = v.object({
      a: v.pipe(v.string(), v.regex(/^a+$/), v.maxLength(3)),
      b: v.optional(v.number()),
    })
    expect(found(input)).toBe('nothing')
  })

  test('is written for functions that there are, and for nothing else', () => {
    const described = (written: Counterparts): string[] =>
      endpoints.map(({ endpoint }) => {
        try {
          return JSON.stringify(inputSchema(endpoint, written))
        } catch {
          return 'not to be said'
        }
      })
    const asked = Object.keys(counterparts).filter((key) => {
      const { [key]: _left, ...others } = counterparts
      return described(others).join() !== described(counterparts).join()
    })
    // A field of the form may have a rule that JSON Schema says by itself.
    const formFields = Object.keys(inputSchema(endpointOf('POST /score')).properties ?? {})
    const idle = Object.keys(counterparts).filter((key) => !asked.includes(key))
    expect(idle.filter((key) => !formFields.includes(key))).toEqual([])
  })
})

/** Values that schemas are fond of getting wrong. */
const oddValues = [
  null,
  '',
  ' ',
  'x',
  0,
  1,
  -1,
  1.5,
  3,
  6,
  100,
  101,
  1e9,
  true,
  [],
  {},
  ['a'],
  '0',
  '1',
  '100',
  '101',
  '007',
  '1.5',
  '12345',
  '1234',
  '123456789012345678901',
  '１２３４５',
  '12345\n',
  'a'.repeat(43),
  'a'.repeat(44),
  'a'.repeat(64),
  'a'.repeat(65),
  'a'.repeat(128),
  'a'.repeat(129),
  'a'.repeat(500),
  'a'.repeat(501),
  '😀'.repeat(500),
  '😀'.repeat(501),
  '好'.repeat(8001),
  'a'.repeat(12_001),
  '\u0000',
  'AZjD8H0qfEGbblofDj0sSw',
  'AZjD8H0qfEGbblofDj0sSx',
  'AZjD8H0qFEGbblofDj0sSw',
  'AZjD8H0qfEAbblofDj0sSw',
  'AZjD8H0qfEGbblofDj0sS',
]

describe('a request', () => {
  test.each(routes)('is described as %s takes or refuses it', (route) => {
    const endpoint = endpointOf(route)
    expect(disagreements(endpoint, inputSchema(endpoint))).toEqual([])
  })

  test.each<[string, string, Counterparts[string]]>([
    ['POST /query', 'cursor', { pattern: '^[A-Za-z0-9_-]{22}$' }],
    ['GET /score', 'cursor', { pattern: '^[A-Za-z0-9_-]{22}$' }],
    ['GET /score', 'GET /score limit', { type: 'integer', minimum: 1, maximum: 101 }],
    ['POST /login', 'device', { minLength: 1, maxLength: 65 }],
    ['POST /login', 'POST /login', {}],
    ['POST /login/phone', 'POST /login/phone', {}],
    ['POST /score', ratingForm.account.name, {}],
  ])('%s described wrongly at %s is found', (route, key, wrong) => {
    const endpoint = endpointOf(route)
    const schema = inputSchema(endpoint, { ...counterparts, [key]: wrong })
    expect(disagreements(endpoint, schema).length).toBeGreaterThan(0)
  })
})

/** Requests of which an endpoint and a schema do not think the same. */
function disagreements(endpoint: ServedEndpoint['endpoint'], schema: JsonSchema): unknown[] {
  const { faultsAt } = readDescription({
    paths: {},
    components: { schemas: { Input: schema }, examples: {} },
  } as unknown as OpenApiDocument)
  const isQuery = !readsBody(endpoint)
  return requestsLike(schema).flatMap((input) => {
    // A query string has texts only; OpenAPI reads them by the schema's type.
    const isTaken = v.safeParse(endpoint.input, isQuery ? asTexts(input) : input).success
    const described = isQuery ? asDescribed(input, schema) : input
    const faults = faultsAt('/components/schemas/Input', described)
    return isTaken === (faults.length === 0) ? [] : [{ input, isTaken, faults }]
  })
}

/** The example with every field left out, or odd, and what else can be made of its fields. */
function requestsLike(schema: JsonSchema): Record<string, unknown>[] {
  const names = Object.keys(schema.properties ?? {})
  const whole = exampleOf(schema)
  const least = exampleOf(schema, [])
  const odd = names.flatMap((name) =>
    oddValues.flatMap((value) => [
      { ...whole, [name]: value },
      { ...least, [name]: value },
    ]),
  )
  const fewer = names.flatMap((name) => [exampleOf(schema, [name]), without(whole, name)])
  const value = fc.oneof(
    fc.constantFrom(...oddValues),
    fc.string({ maxLength: 70 }),
    fc.integer(),
    fc.base64String(),
  )
  const anyInput = fc.dictionary(fc.constantFrom(...names, 'another'), value)
  const made = fc.sample(anyInput, { numRuns: 100, seed: 1 })
  return [{}, whole, least, { ...whole, another: 1 }, ...fewer, ...odd, ...made]
}

function asTexts(input: Record<string, unknown>): Record<string, unknown> {
  return mapped(input, (value) => (typeof value === 'number' ? String(value) : value))
}

/** As who reads the description would: numbers where it has numbers. */
function asDescribed(input: Record<string, unknown>, schema: JsonSchema): Record<string, unknown> {
  return mapped(asTexts(input), (value, name) => {
    const described = schema.properties?.[name]
    const isNumber = typeof described === 'object' && described.type === 'integer'
    return isNumber && typeof value === 'string' && /^[0-9]+$/.test(value) ? Number(value) : value
  })
}

function endpointOf(route: string): ServedEndpoint['endpoint'] {
  const found = endpoints.find(({ endpoint }) => endpoint.route === route)
  if (!found) throw new Error(`no endpoint ${route}`)
  return found.endpoint
}

function first<Item>([item]: readonly Item[]): Item {
  if (item === undefined) throw new Error('there is none')
  return item
}

function without(whole: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(whole).filter(([each]) => each !== name))
}

function mapped(
  input: Record<string, unknown>,
  change: (value: unknown, name: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [name, change(value, name)]),
  )
}
