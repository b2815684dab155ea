import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeApi } from '../../../scripts/openapi/document.ts'
import type { ExampleObject, OpenApiDocument } from '../../../scripts/openapi/shapes.ts'
import {
  type DescribedApi,
  pointerTo,
  type ReceivedAnswer,
  readDescription,
} from '../../support/described-api.ts'
import { livingBody, newPerson, written } from '../../support/described-people.ts'
import { holdAgainstDescription } from '../../support/held-answers.ts'
import {
  type InProcessFunctions,
  startInProcessFunctions,
} from '../../support/in-process-functions.ts'

const document = await describeApi()
const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
)

let api: DescribedApi
let functions: InProcessFunctions
beforeAll(async () => {
  api = readDescription(document)
  functions = await startInProcessFunctions()
})
afterAll(() => functions?.close())

/** Every answer to an example, for the tests of broken descriptions. */
const received: { route: string; answer: ReceivedAnswer }[] = []

const exampleRating = () => {
  const [rating] = examplesOf('POST /score', 'application/json')
  return rating?.value as Record<string, unknown>
}

function examplesOf(route: string, type: string): ExampleObject[] {
  const { examples = {} } = api.operation(route)?.requestBody?.content[type] ?? {}
  return Object.values(examples) as ExampleObject[]
}

/** Sends every request that the description of a route shows, and returns the answers. */
async function sendExamples(route: string): Promise<ReceivedAnswer[]> {
  const operation = api.operation(route)
  if (!operation) throw new Error(`${route} is not described`)
  const person = await newPerson(functions, exampleRating())
  const path = await pathWithExamples(route, (field) => person.living(route, field))
  const schemes = operation.security.length > 0 ? ['JWT', 'Bearer'] : ['']
  const bodies = Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, media]) =>
    Object.values(media.examples ?? {}).map((example) => ({ type, media, example })),
  )
  const answers: ReceivedAnswer[] = []
  for (const [index, body] of (bodies.length > 0 ? bodies : [undefined]).entries()) {
    // Some end the session that they come with.
    const sender = index === 0 ? person : await newPerson(functions, exampleRating())
    const scheme = schemes[index % schemes.length]
    const authorization = scheme ? { authorization: `${scheme} ${sender.token}` } : {}
    const value = (body?.example as ExampleObject | undefined)?.value as Record<string, unknown>
    answers.push(
      await functions.ask(route, {
        path,
        headers: { ...authorization, ...(body ? { 'content-type': body.type } : {}) },
        ...(body
          ? {
              body: written(
                body.type,
                body.media,
                await livingBody(route, value, sender, functions),
              ),
            }
          : {}),
      }),
    )
  }
  return answers
}

async function pathWithExamples(
  route: string,
  living: (field: string) => Promise<string | undefined>,
): Promise<string> {
  let path = route.slice(route.indexOf(' ') + 1)
  const query = new URLSearchParams()
  for (const parameter of api.operation(route)?.parameters ?? []) {
    if ('$ref' in parameter) continue
    const { name, example, schema } = parameter
    const value = (await living(name)) ?? String(example ?? schema.default)
    if (parameter.in === 'path') path = path.replace(`{${name}}`, value)
    else query.set(name, value)
  }
  return query.size > 0 ? `${path}?${query}` : path
}

describe('every example of the description', () => {
  test.each(routes)('%s: requests succeed and are answered as described', async (route) => {
    const [success] = Object.keys(api.operation(route)?.responses ?? {})
    const answers = await sendExamples(route)
    expect(answers.length).toBeGreaterThan(0)
    for (const answer of answers) {
      expect([answer.status, answer.body]).toEqual([Number(success), answer.body])
      expect(api.faultsOf(route, answer)).toEqual([])
      received.push({ route, answer })
    }
  })

  test('answers and requests are what their schemas allow', () => {
    const faults = routes.flatMap((route) => {
      const [method = '', path = ''] = route.split(' ')
      const operation = api.operation(route)
      const bodies = [
        ...Object.entries(operation?.requestBody?.content ?? {}).map(
          ([type, media]) => ['/requestBody', type, media] as const,
        ),
        ...Object.entries(operation?.responses ?? {}).flatMap(([status, { content = {} }]) =>
          Object.entries(content).map(
            ([type, media]) => [pointerTo('responses', status), type, media] as const,
          ),
        ),
      ]
      return bodies.flatMap(([place, type, { examples = {} }]) =>
        Object.values(examples).flatMap((example) => {
          const value =
            '$ref' in example
              ? document.components.examples[example.$ref.split('/').at(-1) ?? '']?.value
              : example.value
          const operationPointer = pointerTo('paths', path, method.toLowerCase())
          return api.faultsAt(
            `${operationPointer}${place}${pointerTo('content', type, 'schema')}`,
            value,
          )
        }),
      )
    })
    expect(faults).toEqual([])
  })

  test('a form is answered with what the description shows', () => {
    const forms = received.filter(({ answer }) => typeof answer.body === 'string')
    const created = api.operation('POST /score')?.responses['201']
    const shown = created?.content?.['application/json']?.examples?.toForm
    expect(forms.map(({ answer }) => ({ value: answer.body }))).toEqual([
      { value: (shown as ExampleObject).value },
    ])
  })

  test('what is kept is asked for with its mark, and a 304 is described', async () => {
    const route = 'GET /form'
    const { headers } = await functions.ask(route)
    const kept = await functions.ask(route, { headers: { 'if-none-match': headers.etag ?? '' } })
    expect(kept.status).toBe(304)
    expect(api.faultsOf(route, kept)).toEqual([])
  })
})

describe('a description that is wrong', () => {
  const broken = (change: (copy: OpenApiDocument) => void): DescribedApi => {
    const copy = structuredClone(document)
    change(copy)
    return readDescription(copy)
  }
  const faultsIn = ({ faultsOf }: DescribedApi, answers = received): string[] =>
    answers.flatMap(({ route, answer }) => faultsOf(route, answer))
  const answersWith = (schema: string) =>
    received.filter(({ route }) =>
      JSON.stringify(api.operation(route)).includes(`/schemas/${schema}"`),
    )

  test('in the name of any field of an answer is noticed', () => {
    const answered = new Set(received.flatMap(({ answer }) => namesIn(answer.body)))
    const unnoticed = Object.entries(document.components.schemas).flatMap(([name, schema]) => {
      if (name.endsWith('Input') || name === 'Problem') return []
      return fieldsOf(schema)
        .filter((field) => answered.has(field))
        .flatMap((field) => {
          const { components } = document
          const schemas = { ...components.schemas, [name]: renamed(schema, field) }
          const api = readDescription({ ...document, components: { ...components, schemas } })
          return faultsIn(api, answersWith(name)).length === 0 ? [`${name}.${field}`] : []
        })
    })
    expect(answered.size).toBeGreaterThan(25)
    expect(unnoticed).toEqual([])
  })

  test.each<[string, (copy: OpenApiDocument) => void]>([
    [
      'a status',
      ({ paths }) => {
        const operation = paths['/score']?.post
        const { 201: created, ...others } = operation?.responses ?? {}
        Object.assign(operation ?? {}, { responses: { ...others, 200: created } })
      },
    ],
    ['a route', ({ paths }) => delete paths['/query']],
    [
      'a type',
      ({ components }) => {
        const { properties } = components.schemas.Summary ?? {}
        Object.assign(properties ?? {}, { count: { type: 'string' } })
      },
    ],
    [
      'a body where there is none',
      ({ paths }) => {
        Object.assign(paths['/login/phone']?.delete?.responses ?? {}, {
          204: { description: '', content: { 'application/json': { schema: {} } } },
        })
      },
    ],
    ['a header', ({ paths }) => delete paths['/form']?.get?.responses['200']?.headers?.ETag],
  ])('in %s is noticed', (_what, change) => {
    expect(faultsIn(broken(change)).length).toBeGreaterThan(0)
  })

  test('is noticed by every test that asks the functions', async () => {
    const answer = { status: 200, headers: { 'content-type': 'application/json' }, body: {} }
    await expect(holdAgainstDescription('GET /form', answer)).rejects.toThrow(
      'Not as the API is described:\nGET /form 200: there is no x-request-id',
    )
  })

  test('not at all has no faults', () => {
    expect(received.length).toBeGreaterThan(20)
    expect(faultsIn(api)).toEqual([])
  })
})

/** Names of members, wherever they are. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap(namesIn)
  return Object.entries(value).flatMap(([name, each]) => [name, ...namesIn(each)])
}

/** Names of fields, wherever they are. */
function fieldsOf(schema: object): string[] {
  return Object.entries(schema).flatMap(([key, each]) => {
    if (typeof each !== 'object' || each === null) return []
    const names = key === 'properties' ? Object.keys(each) : []
    return [...names, ...fieldsOf(each)]
  })
}

/** The schema with a field under another name, wherever it is. */
function renamed<Schema>(schema: Schema, field: string): Schema {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema
  const entries = Object.entries(schema).map(([key, each]) => {
    if (key === 'required') return [key, each.map((name: string) => otherName(name, field))]
    if (key !== 'properties') return [key, renamed(each, field)]
    const properties = Object.entries(each).map(([name, property]) => [
      otherName(name, field),
      renamed(property, field),
    ])
    return [key, Object.fromEntries(properties)]
  })
  return Object.fromEntries(entries) as Schema
}

function otherName(name: string, field: string): string {
  return name === field ? `${name}_` : name
}
