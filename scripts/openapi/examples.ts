/** Examples made from schemas, so that they follow every change of the form. */

import type { JsonSchema } from '@valibot/to-json-schema'
import { exampleOfField } from './words.ts'

/**
 * An object as the schema wants it. Of fields that may be left out it has those of `optional`, or all.
 * @throws {Error} naming a field without an example
 */
export function exampleOf(
  schema: JsonSchema,
  optional?: readonly string[],
): Record<string, unknown> {
  const names = Object.keys(schema.properties ?? {}).filter(
    (name) => schema.required?.includes(name) || (optional?.includes(name) ?? true),
  )
  return Object.fromEntries(
    names.map((name) => [name, exampleOfMember(name, schema.properties?.[name] as JsonSchema)]),
  )
}

function exampleOfMember(name: string, schema: JsonSchema): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.type === 'array') return [exampleOf(schema.items as JsonSchema)]
  if (schema.type === 'object' && schema.properties) return exampleOf(schema)
  return exampleOfField(name)
}
