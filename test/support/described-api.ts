/** Answers held against the API's description, more strictly than clients should: what it does not name must not be there. */

import type { JsonSchema } from '@valibot/to-json-schema'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { OpenApiDocument, OperationObject } from '../../scripts/openapi/shapes.ts'

/** An answer as a client sees it; header names in lower case. */
export interface ReceivedAnswer {
  status: number
  headers: Readonly<Record<string, string>>
  body: unknown
}

/** A description to hold answers against. */
export interface DescribedApi {
  document: OpenApiDocument
  /** The operation that answers `POST /score`; `undefined` when there is none. */
  operation(route: string): OperationObject | undefined
  /** What an answer does that the description does not say. */
  faultsOf(route: string, answer: ReceivedAnswer): string[]
  /** What a value is that the schema at a place of the document, a JSON pointer, does not allow. */
  faultsAt(pointer: string, value: unknown): string[]
}

/** The linter looks at schemas themselves. */
const thorough = { allErrors: true, strictRequired: false, strictTypes: false }

/** Reads a description. */
export function readDescription(document: OpenApiDocument): DescribedApi {
  const ajv = new Ajv2020({ ...thorough, validateSchema: false })
  addFormats.default(ajv)
  const $defs = withOwnReferences(shutAll(document.components.schemas))
  const compiled = new Map<string, ValidateFunction>()

  const faultsAt = (pointer: string, value: unknown): string[] => {
    const validate =
      compiled.get(pointer) ??
      ajv.compile({ ...withOwnReferences(valueAt(document, pointer)), $defs })
    compiled.set(pointer, validate)
    if (validate(value)) return []
    return (validate.errors ?? []).map(({ instancePath, message, params }) =>
      [instancePath, message, JSON.stringify(params)].join(' '),
    )
  }

  const placeOf = (route: string): { pointer: string; operation: OperationObject } | undefined => {
    const [method = '', path = ''] = route.split(' ')
    const found = Object.keys(document.paths).find((each) => isAt(each, path))
    const operation = found && document.paths[found]?.[method.toLowerCase()]
    if (found === undefined || !operation) return undefined
    return { pointer: pointerTo('paths', found, method.toLowerCase()), operation }
  }

  return {
    document,
    operation: (route) => placeOf(route)?.operation,
    faultsAt,
    faultsOf(route, { status, headers, body }) {
      const place = placeOf(route)
      if (!place) return [`${route} is not described`]
      const response = place.operation.responses[status]
      if (!response) return [`${route} answered ${status}, which is not described`]
      const said = Object.keys(response.headers ?? {}).map((name) => name.toLowerCase())
      const faults = ['x-request-id', 'etag'].flatMap((name) =>
        said.includes(name) && headers[name] === undefined ? [`there is no ${name}`] : [],
      )
      for (const name of ['retry-after', 'etag', 'allow']) {
        if (headers[name] !== undefined && !said.includes(name)) faults.push(`${name} is not said`)
      }
      const type = headers['content-type']?.split(';')[0] ?? ''
      const types = Object.keys(response.content ?? {})
      if (types.length === 0 && body !== undefined) faults.push('there is a body')
      if (types.length > 0 && !types.includes(type)) faults.push(`the body is ${type || 'none'}`)
      if (types.includes(type)) {
        const pointer = pointerTo('responses', String(status), 'content', type, 'schema')
        faults.push(...faultsAt(place.pointer + pointer, body))
      }
      return faults.map((fault) => `${route} ${status}: ${fault}`)
    },
  }
}

/** A JSON pointer. */
export function pointerTo(...names: string[]): string {
  return names
    .map((name) => `/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
    .join('')
}

function valueAt(document: object, pointer: string): object {
  let found = document
  for (const name of pointer.split('/').slice(1)) {
    const member = decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')
    found = (found as Record<string, object>)[member] ?? {}
  }
  return found
}

/** A part of the document that refers to definitions of its own. */
function withOwnReferences<Part>(part: Part): Part {
  return JSON.parse(JSON.stringify(part).replaceAll('"#/components/schemas/', '"#/$defs/')) as Part
}

function isAt(template: string, path: string): boolean {
  const wanted = template.split('/')
  const given = path.split('/')
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => segment.startsWith('{') || segment === given[index])
  )
}

/** Schemas that take nothing they do not name. */
function shutAll(
  schemas: Readonly<Record<string, JsonSchema | boolean>>,
): Record<string, JsonSchema | boolean> {
  return Object.fromEntries(Object.entries(schemas).map(([name, each]) => [name, shut(each)]))
}

function shut(schema: JsonSchema | boolean): JsonSchema | boolean {
  if (typeof schema === 'boolean') return schema
  const { type, properties, items } = schema
  return {
    ...schema,
    ...(properties ? { properties: shutAll(properties) } : {}),
    ...(type === 'object' && properties ? { additionalProperties: false } : {}),
    ...(typeof items === 'object' && !Array.isArray(items) ? { items: shut(items) } : {}),
  }
}
