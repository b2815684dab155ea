/** `shared/client/contract.ts`: what the endpoints take and answer, as plain types that need neither valibot nor this project. */

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema'
import { devices } from '../../functions/login/devices.ts'
import { login } from '../../functions/login/login.ts'
import { phone } from '../../functions/login/phone.ts'
import { refresh } from '../../functions/login/refresh.ts'
import { accountScores } from '../../functions/query-scores/account-scores.ts'
import { form } from '../../functions/query-scores/form.ts'
import { ownScores } from '../../functions/query-scores/own-scores.ts'
import { summary } from '../../functions/query-scores/summary.ts'
import { submitScore } from '../../functions/submit-score/submit-score.ts'
import { problemCatalogue } from '../../shared/problem.ts'

/** A type as it is written in TypeScript. */
type TypeText = string

const head = `/**
 * Types of the API, written by \`npm run build\` from the endpoints' schemas and the catalogue of problems.
 * A change made here does not last.
 */
`

/** The text of the file, as the formatter leaves it. */
export function clientContract(): string {
  const inputOf = (schema: Parameters<typeof toJsonSchema>[0]) => typeText(schema, 'input')
  const outputOf = (schema: Parameters<typeof toJsonSchema>[0]) => typeText(schema, 'output')
  const declared: [name: string, doc: string, text: TypeText][] = [
    ['LoginInput', 'The body of `POST /login`.', inputOf(login.input)],
    ['LoginAnswer', 'What a login gives.', outputOf(login.output)],
    ['User', 'Who is logged in.', "LoginAnswer['user']"],
    ['TokenPair', 'What `POST /login/refresh` gives.', outputOf(refresh.output)],
    ['MaskedPhone', 'A number bound, most of it hidden.', outputOf(phone.output)],
    ['DeviceList', 'The answer of `GET /login/devices`.', outputOf(devices.output)],
    [
      'Device',
      'One session of the caller. Times are ISO 8601, UTC.',
      "DeviceList['items'][number]",
    ],
    ['Form', 'The rating form, as `GET /form` answers it.', outputOf(form.output)],
    ['RatingInput', 'The body of `POST /score`.', inputOf(submitScore.input)],
    [
      'Submitted',
      'The answer of `POST /score`; `message` is fit for a toast.',
      outputOf(submitScore.output),
    ],
    [
      'Page',
      'A page of ratings; `next` is the cursor of the next one, `null` on the last.',
      outputOf(ownScores.output),
    ],
    [
      'AccountPage',
      'A page of `POST /query`; `since` asks for what is newer than it.',
      outputOf(accountScores.output),
    ],
    [
      'Rating',
      'A rating as it is answered. `insert_time` is ISO 8601, UTC.',
      "Page['items'][number]",
    ],
    ['Summary', 'The answer of `POST /query/summary`.', outputOf(summary.output)],
  ]
  const catalogue = Object.entries(problemCatalogue)
  const codes = catalogue.map(([code]) => `'${code}'`)
  const hints = [...new Set(catalogue.map(([, { retry }]) => `'${retry}'`))].sort()
  declared.push(
    ['ProblemCode', 'What an error answer is called; the list is closed.', union(codes)],
    ['RetryHint', 'What helps after an error.', hints.join(' | ')],
    [
      'ProblemBody',
      'The body of an error answer.',
      objectText([
        ['code', 'ProblemCode'],
        ['message', 'string'],
        ['retry', 'RetryHint'],
        ['status', 'number'],
        ['requestId', 'string'],
        ['field?', 'string'],
      ]),
    ],
  )
  const texts = declared.map(([name, doc, text]) =>
    text.startsWith('{')
      ? `/** ${doc} */\nexport interface ${name} ${text}\n`
      : `/** ${doc} */\nexport type ${name} =${text.startsWith('\n') ? '' : ' '}${text}\n`,
  )
  return [head, ...texts].join('\n')
}

function typeText(
  schema: Parameters<typeof toJsonSchema>[0],
  typeMode: 'input' | 'output',
): TypeText {
  // Checks and transforms narrow a value, never its type.
  return textOf(toJsonSchema(schema, { typeMode, errorMode: 'ignore' }))
}

/** @throws {Error} for a schema that no endpoint has had yet */
function textOf(schema: JsonSchema): TypeText {
  if (schema.anyOf) return schema.anyOf.map((each) => textOf(each as JsonSchema)).join(' | ')
  const values = schema.const === undefined ? schema.enum : [schema.const]
  if (values) return values.map(literalText).join(' | ')
  if (schema.type === 'integer') return 'number'
  if (schema.type === 'array') return `${textOf(schema.items as JsonSchema)}[]`
  if (schema.type !== 'object') {
    if (typeof schema.type === 'string') return schema.type
    throw new Error(`The client's types cannot express ${JSON.stringify(schema)}`)
  }
  if (schema.additionalProperties) {
    return `Record<string, ${textOf(schema.additionalProperties as JsonSchema)}>`
  }
  const required = new Set(schema.required)
  return objectText(
    Object.entries(schema.properties ?? {}).map(([name, each]) => [
      required.has(name) ? name : `${name}?`,
      textOf(each as JsonSchema),
    ]),
  )
}

function literalText(value: unknown): TypeText {
  return typeof value === 'string' ? `'${value}'` : String(value)
}

function objectText(members: [name: string, text: TypeText][]): TypeText {
  const lines = members.map(([name, text]) => `  ${name}: ${text.replaceAll('\n', '\n  ')}\n`)
  return `{\n${lines.join('')}}`
}

function union(members: TypeText[]): TypeText {
  return members.map((member) => `\n  | ${member}`).join('')
}
