/**
 * What JSON Schema says in place of valibot's functions (`check`, `transform`), which it cannot read. They stand here and
 * not beside the schemas because those are part of the bundles. A function without its counterpart stops the description,
 * and tests hold that each refuses the same values as its function.
 */

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { pageFields } from '../../functions/query-scores/page.ts'
import { ratingForm } from '../../shared/domain/form.ts'
import type { TextField } from '../../shared/domain/form-definition.ts'

/**
 * By `ROUTE FIELD`, `ROUTE` for the whole input, or a field's name wherever it is. One that has a type takes the place of
 * what was read from the schema; others are added to it.
 */
export type Counterparts = Readonly<Record<string, Counterpart>>

/** valibot's type knows the older `dependencies` alone. */
type Counterpart = JsonSchema & { dependentRequired?: Record<string, string[]> }

/** For a transformation that refuses nothing. */
const anything: JsonSchema = {}

/** What the column of account numbers holds: accounts of an earlier form are asked about, and not rated any more. */
const COLUMN = { pattern: '^[\\x21-\\x7e]{1,64}$' }

/**
 * A UUID of version 7 in base64url: its version is the upper half of byte 6, in the ninth character, its variant the upper
 * quarter of byte 8, in the eleventh; the last character holds two bits.
 */
const CURSOR = '^[A-Za-z0-9_-]{8}[c-f][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$'

const { account } = ratingForm
const texts: readonly TextField[] = ratingForm.texts

const formFields: Counterparts = Object.fromEntries<JsonSchema>([
  [account.name, { pattern: `^(?:${account.pattern})$`, maxLength: 64 }],
  ...texts.map(({ name, maxLength, required }): [string, JsonSchema] => [
    name,
    required ? { minLength: 1, maxLength } : { maxLength },
  ]),
])

/** All there are. */
export const counterparts: Counterparts = {
  ...formFields,
  'POST /score': anything,
  [`POST /query ${account.name}`]: COLUMN,
  [`POST /query/summary ${account.name}`]: COLUMN,
  cursor: { pattern: CURSOR },
  since: { pattern: CURSOR },
  // A query string has no numbers: its text may be what the body's number may be.
  'GET /score limit': numberOfPage('limit'),
  device: { minLength: 1, maxLength: 64 },
  proofKey: anything,
  'POST /login': { dependentRequired: { encryptedData: ['iv'], iv: ['encryptedData'] } },
  'POST /login/phone': {
    oneOf: [
      {
        title: 'The code of the phone button',
        required: ['code'],
        properties: { encryptedData: false, iv: false },
      },
      {
        title: 'Encrypted data, as older base libraries give it',
        required: ['encryptedData', 'iv'],
        properties: { code: false },
      },
    ],
  },
}

function numberOfPage(name: keyof typeof pageFields): JsonSchema {
  const { properties } = toJsonSchema(v.object({ [name]: pageFields[name] }), {
    typeMode: 'input',
    errorMode: 'ignore',
  })
  return properties?.[name] as JsonSchema
}
