/**
 * An output schema as what it is at run time: an allow-list. valibot checks every value of an answer that our own types
 * vouch for, which is a tenth of a page's work; here only what is named is taken over, by a plan made once a schema.
 */

import type * as v from 'valibot'

/** Copies a value, with those members alone that its schema names. @throws {TypeError} when it has another structure */
export type Picker = (value: unknown) => unknown

type AnySchema = v.GenericSchema & {
  entries?: Record<string, AnySchema>
  item?: AnySchema
  value?: AnySchema
  wrapped?: AnySchema
}

const LEAVES: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'literal', 'picklist'])

const plans = new WeakMap<v.GenericSchema, Picker>()

/** The plan of an output schema. @throws {TypeError} for a kind of schema that no answer has */
export function allowListOf(schema: v.GenericSchema): Picker {
  let pick = plans.get(schema)
  if (!pick) {
    pick = plan(schema)
    plans.set(schema, pick)
  }
  return pick
}

function plan(schema: AnySchema): Picker {
  const { type, entries, item, value, wrapped } = schema
  if (LEAVES.has(type)) return takeLeaf
  if (type === 'undefined') return () => undefined
  // Of tests: no endpoint of ours answers what it does not name (allow-list.test.ts).
  if (type === 'unknown') return (given) => given
  if ((type === 'nullable' || type === 'optional') && wrapped) {
    const pick = plan(wrapped)
    return (given) => (given === null || given === undefined ? given : pick(given))
  }
  if (type === 'array' && item) return listOf(plan(item))
  if (type === 'object' && entries) return members(entries)
  if (type === 'record' && value) {
    const pick = plan(value)
    return (given) =>
      Object.fromEntries(Object.entries(structure(given)).map(([name, each]) => [name, pick(each)]))
  }
  throw new TypeError(`an answer has no ${type}`)
}

/** What should be a text or a number may not smuggle anything in. */
function takeLeaf(given: unknown): unknown {
  if (typeof given === 'object' && given !== null) throw new TypeError('an object for a value')
  return given
}

function listOf(pick: Picker): Picker {
  return (given) => {
    if (!Array.isArray(given)) throw new TypeError('no list')
    return given.map(pick)
  }
}

function members(entries: Record<string, AnySchema>): Picker {
  const picks = Object.entries(entries).map(([name, schema]) => ({ name, pick: plan(schema) }))
  return (given) => {
    const from = structure(given)
    const taken: Record<string, unknown> = {}
    for (const { name, pick } of picks) {
      const value = from[name]
      if (value !== undefined) taken[name] = pick(value)
    }
    return taken
  }
}

function structure(given: unknown): Record<string, unknown> {
  if (typeof given !== 'object' || given === null) throw new TypeError('no object')
  return given as Record<string, unknown>
}
