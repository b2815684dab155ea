/** The schemas of the endpoints as JSON Schema (2020-12, which is that of OpenAPI 3.1), nothing of them left out unsaid. */

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import type { AnyEndpoint } from '../../shared/endpoint.ts'
import { type Counterparts, counterparts } from './counterparts.ts'
import { withWords } from './words.ts'

type Described = Pick<AnyEndpoint<never>, 'route' | 'input'>

/** What a client may send: the body, or the query with path parameters. @throws {Error} naming what cannot be said */
export function inputSchema(
  { route, input }: Described,
  written: Counterparts = counterparts,
): JsonSchema {
  const said = new Set<unknown>()
  const schema = convert(input, 'input', said)
  for (const { place, kind } of unsaidIn(input, said)) {
    const [field] = place.slice(-1)
    const key = [[route, ...place].join(' '), field ?? route].find((each) =>
      Object.hasOwn(written, each),
    )
    const counterpart = key === undefined ? undefined : written[key]
    if (counterpart === undefined) {
      const where = [route, place.join('.')].filter(Boolean).join(', ')
      throw new Error(
        `${where}: JSON Schema cannot say what this ${kind} does. Say it in scripts/openapi/counterparts.ts.`,
      )
    }
    add(counterpart, schemaAt(schema, place))
  }
  return withWords(schema, 'input')
}

/** What an answer holds; `undefined` where it has no body. @throws {Error} for a schema that JSON Schema cannot express */
export function outputSchema({
  output,
}: Pick<AnyEndpoint<never>, 'output'>): JsonSchema | undefined {
  if (output.type === 'undefined') return undefined
  return withWords(convert(output, 'output', new Set()), 'output')
}

function convert(
  schema: v.GenericSchema,
  typeMode: 'input' | 'output',
  said: Set<unknown>,
): JsonSchema {
  const { $schema: _dialect, ...converted } = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode,
    // What is unsaid is looked for below; errors would not tell of what follows a transformation.
    errorMode: typeMode === 'input' ? 'ignore' : 'throw',
    overrideAction({ valibotAction, errors }) {
      if (!errors) said.add(valibotAction)
      return undefined
    },
  })
  return converted
}

interface Unsaid {
  /** Names of fields, from the outside in. */
  place: readonly string[]
  /** `check`, `transform` and the like. */
  kind: string
}

/** Whatever narrows or changes a value and was not converted. */
function unsaidIn(schema: object, said: Set<unknown>, place: readonly string[] = []): Unsaid[] {
  if ('pipe' in schema) {
    return (schema.pipe as { kind: string; type: string }[]).flatMap((item, index) => {
      if (index === 0) return unsaidIn(item, said, place)
      // A schema further on judges what a transformation made.
      if (item.kind === 'schema') return [{ place, kind: item.type }]
      return said.has(item) ? [] : [{ place, kind: item.type }]
    })
  }
  if ('entries' in schema) {
    return Object.entries(schema.entries as Record<string, object>).flatMap(([name, entry]) =>
      unsaidIn(entry, said, [...place, name]),
    )
  }
  if ('wrapped' in schema) return unsaidIn(schema.wrapped as object, said, place)
  if ('item' in schema) return unsaidIn(schema.item as object, said, place)
  if ('options' in schema) {
    return (schema.options as unknown[]).flatMap((option) =>
      typeof option === 'object' && option !== null ? unsaidIn(option, said, place) : [],
    )
  }
  return []
}

/** The part of a converted schema that stands for a field; what may be `null` as well without its `null`. */
function schemaAt(schema: JsonSchema, place: readonly string[]): JsonSchema {
  let found = schema
  for (const name of place) {
    found = found.properties?.[name] as JsonSchema
  }
  return (found.anyOf?.[0] as JsonSchema | undefined) ?? found
}

function add(counterpart: JsonSchema, schema: JsonSchema): void {
  if (counterpart.type !== undefined) {
    for (const key of Object.keys(schema)) delete schema[key as keyof JsonSchema]
  }
  Object.assign(schema, counterpart)
}
