/** One route as an operation of OpenAPI. */

import type { JsonSchema } from '@valibot/to-json-schema'
import type { AnyEndpoint } from '../../shared/endpoint.ts'
import { problemCatalogue } from '../../shared/problem.ts'
import type { ServedEndpoint } from './endpoints.ts'
import { exampleOf } from './examples.ts'
import { headerReference } from './headers.ts'
import { type OperationWords, operations } from './operations.ts'
import {
  pathParametersOf,
  problemResponse,
  problemsOf,
  queryParametersOf,
  readsBody,
} from './problems.ts'
import { inputSchema, outputSchema } from './schemas.ts'
import type {
  ExampleObject,
  MediaTypeObject,
  OperationObject,
  ParameterObject,
  ResponseObject,
} from './shapes.ts'
import { exampleOfField } from './words.ts'

type Schemas = Record<string, JsonSchema>

/** The operation; its named schemas join `schemas`. @throws {Error} for a route of which nothing is written */
export async function operationOf(
  { endpoint, home, functions }: ServedEndpoint,
  schemas: Schemas,
): Promise<OperationObject> {
  const written = operations[endpoint.route]
  if (!written) {
    throw new Error(`${endpoint.route} is not described: do so in scripts/openapi/operations.ts.`)
  }
  const { operationId, summary, description } = written
  const parameters = parametersOf(endpoint, written)
  return {
    operationId,
    summary,
    description: `${description}\n\nFunction: ${functions.map((name) => `\`${name}\``).join(', ')}`,
    tags: [home],
    security: endpoint.auth === 'required' ? [{ jwt: [] }, { bearer: [] }] : [],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(readsBody(endpoint) ? { requestBody: requestBodyOf(endpoint, written, schemas) } : {}),
    responses: {
      ...(await successOf(endpoint, written, schemas)),
      ...problemResponsesOf(endpoint),
    },
  } as OperationObject
}

function parametersOf(
  endpoint: AnyEndpoint<never>,
  { headers = [] }: OperationWords,
): ParameterObject[] {
  const inPath = pathParametersOf(endpoint)
  const inQuery = queryParametersOf(endpoint)
  const { properties, required = [] } =
    inPath.length + inQuery.length > 0 ? inputSchema(endpoint) : {}
  const parameter = (name: string, place: 'path' | 'query'): ParameterObject => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: withoutNull(properties?.[name]),
    // Swagger UI sends examples as they are; what may be left out is better left out at first.
    ...(place === 'path' ? { example: exampleOfField(name) } : {}),
  })
  const isBound = endpoint.auth === 'required' && !headers.includes('X-Session-Proof')
  return [
    ...inPath.map((name) => parameter(name, 'path')),
    ...inQuery.map((name) => parameter(name, 'query')),
    ...headers.map(headerReference),
    ...(isBound ? [headerReference('X-Session-Proof')] : []),
  ]
}

function requestBodyOf(
  endpoint: AnyEndpoint<never>,
  { inputName = '', requests }: OperationWords,
  schemas: Schemas,
): NonNullable<OperationObject['requestBody']> {
  const schema = named(inputName, inputSchema(endpoint), schemas)
  const examples = Object.fromEntries(
    Object.entries(requests ?? { request: { summary: 'Everything', fields: undefined } }).map(
      ([name, { summary, fields }]): [string, ExampleObject] => [
        name,
        { summary, value: exampleOf(schema.whole, fields) },
      ],
    ),
  )
  return {
    required: (schema.whole.required ?? []).length > 0,
    content: {
      'application/json': { schema: schema.reference, examples },
      ...(endpoint.formKinds
        ? { 'application/x-www-form-urlencoded': formOf(schema.whole, examples) }
        : {}),
    },
  }
}

/** A form's values go through `JSON.stringify`, each by itself. */
function formOf(schema: JsonSchema, examples: Record<string, ExampleObject>): MediaTypeObject {
  const names = Object.keys(schema.properties ?? {})
  const properties = names.map((name) => [name, withoutNull(schema.properties?.[name])])
  return {
    schema: { ...schema, properties: Object.fromEntries(properties) },
    examples,
    encoding: Object.fromEntries(names.map((name) => [name, { contentType: 'application/json' }])),
  }
}

/** Outside of JSON there is no `null`: what may be `null` is left out. */
function withoutNull(property: JsonSchema | boolean | undefined): JsonSchema {
  const { anyOf, default: preset, ...rest } = (property ?? {}) as JsonSchema
  const [value] = (anyOf ?? []) as JsonSchema[]
  return {
    ...rest,
    ...value,
    ...(preset === undefined || preset === null ? {} : { default: preset }),
  }
}

async function successOf(
  endpoint: AnyEndpoint<never>,
  { outputName = '', status, formAnswer, isCacheable }: OperationWords,
  schemas: Schemas,
): Promise<Record<string, ResponseObject>> {
  const headers = {
    'X-Request-Id': { $ref: '#/components/headers/RequestId' },
    'Cache-Control': { $ref: '#/components/headers/CacheControl' },
    ...(isCacheable ? { ETag: { $ref: '#/components/headers/ETag' } } : {}),
  }
  const output = outputSchema(endpoint)
  if (!output) return { 204: { description: 'Done.', headers } }
  const { reference } = named(outputName, output, schemas)
  const answer = { summary: 'The answer', value: await exampleAnswer(endpoint, output) }
  const content: MediaTypeObject =
    formAnswer === undefined
      ? { schema: reference, examples: { answer } }
      : {
          schema: { anyOf: [reference, { type: 'string', title: 'To a form' }] },
          examples: { answer, toForm: { summary: 'The answer to a form', value: formAnswer } },
        }
  return {
    [status ?? 200]: { description: 'Done.', headers, content: { 'application/json': content } },
    ...(isCacheable ? { 304: { description: 'What is kept still holds.', headers } } : {}),
  }
}

/** Of an endpoint that needs nothing and nobody its own answer; else one made from the schema. */
async function exampleAnswer(
  { auth, isUnlimited, handle }: AnyEndpoint<never>,
  output: JsonSchema,
): Promise<unknown> {
  if (auth === 'none' && isUnlimited) return (await handle({} as never)).output
  return exampleOf(output)
}

function problemResponsesOf(endpoint: AnyEndpoint<never>): Record<string, ResponseObject> {
  const codes = problemsOf(endpoint)
  const statuses = [...new Set(codes.map((code) => problemCatalogue[code].status))].sort()
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      problemResponse(codes.filter((code) => problemCatalogue[code].status === status)),
    ]),
  ) as Record<string, ResponseObject>
}

/** Puts a schema among the named ones. @throws {Error} without a name, or when another has it */
function named(
  name: string,
  whole: JsonSchema,
  schemas: Schemas,
): { whole: JsonSchema; reference: JsonSchema } {
  const taken = schemas[name]
  if (name === '' || (taken && JSON.stringify(taken) !== JSON.stringify(whole))) {
    throw new Error(`A schema needs a name of its own, not "${name}": see operations.ts.`)
  }
  schemas[name] = whole
  return { whole, reference: { $ref: `#/components/schemas/${name}` } }
}
