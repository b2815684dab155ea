/** What a rating form can be, beyond what its types say, and the esbuild plugin that no form passes that is something else. */

import path from 'node:path'
import vm from 'node:vm'
import { build, type Plugin } from 'esbuild'
import * as v from 'valibot'
import {
  type FormDefinition,
  gradeColumns,
  textColumns,
} from '../../shared/domain/form-definition.ts'
import { BODY_MAX_BYTES } from '../../shared/transport/body.ts'

const projectFolder = path.resolve(import.meta.dirname, '../..')

/** The form that functions are built with. The tests build them with one of their own, by `RATING_FORM`. */
const formFile = process.env.RATING_FORM ?? 'shared/domain/form.ts'

/** What the columns are, in bytes. */
const SMALLINT = { min: -32768, max: 32767 }
/** Counts of each grade lie in one text of 65,535 bytes for an account; a grade and its count take up to 20. */
const GRADES_MAX = 1000
/** What a Chinese character takes in a form-encoded body, and what the rest of the body may. */
const ENCODED_CHARACTER_BYTES = 9
const OTHER_FIELDS_BYTES = 1024

const TEXTS_LENGTH_MAX = Math.floor((BODY_MAX_BYTES - OTHER_FIELDS_BYTES) / ENCODED_CHARACTER_BYTES)

/** Numbers no pattern should think about for long. */
const hostileNumbers = ['0', '1', 'a', '-', 'aA1-'].flatMap((unit) => {
  const long = unit.repeat(64).slice(0, 64)
  return [long, `${long.slice(1)}!`]
})
const PATTERN_TIMEOUT_MS = 200

const Label = v.pipe(
  v.string('must be a text'),
  v.check((text) => text.trim() !== '', 'is empty'),
)
const whole = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  )
}
const required = v.boolean('must be true or false')
const column = <const Name extends string>(names: readonly Name[]) =>
  v.picklist(names, `must be a column of the table: ${names.join(', ')}`)

const Grade = v.pipe(
  v.strictObject({
    name: column(gradeColumns),
    label: Label,
    min: whole(SMALLINT.min, SMALLINT.max),
    max: whole(SMALLINT.min, SMALLINT.max),
    required,
  }),
  v.check(({ min, max }) => min < max, 'needs a max that is larger than its min'),
  v.check(
    ({ min, max }) => max - min < GRADES_MAX,
    `has more than ${GRADES_MAX} different grades, of each of which a count is kept`,
  ),
)

const Text = v.strictObject({
  name: column(textColumns),
  label: Label,
  maxLength: whole(1, TEXTS_LENGTH_MAX),
  required,
})

function fields<Field extends v.GenericSchema<unknown, { name: string; label: string }>>(
  field: Field,
  fewest: number,
) {
  const message = `has ${fewest} to 3 fields`
  return v.pipe(
    v.array(field, message),
    v.check((list) => list.length >= fewest && list.length <= 3, message),
    v.check((list) => isDistinct(list.map(({ name }) => name)), 'uses a column twice'),
    v.check((list) => isDistinct(list.map(({ label }) => label)), 'uses a label twice'),
  )
}

const Policy = v.strictObject({
  atMost: whole(1, 100),
  per: v.picklist(['ever', 'week', 'day', 'hour'], 'must be ever, week, day or hour'),
  further: v.picklist(['refuse', 'replace-last'], 'must be refuse or replace-last'),
})

const Form = v.strictObject({
  account: v.strictObject({
    name: column(['acc_nbr']),
    label: Label,
    pattern: v.pipe(
      v.string('must be a text'),
      v.check(isPattern, 'is not a regular expression'),
      v.check(
        (pattern) => pattern.startsWith('^') && pattern.endsWith('$'),
        'must begin with ^ and end with $, or a part of a number would do',
      ),
      v.check((pattern) => !new RegExp(pattern).test(''), 'must not accept an empty number'),
      v.check(isQuick, 'takes too long to refuse some numbers: repeat no repetition in it'),
    ),
    hint: Label,
  }),
  grades: fields(Grade, 1),
  texts: v.pipe(
    fields(Text, 0),
    v.check(
      (texts) => texts.reduce((sum, { maxLength }) => sum + maxLength, 0) <= TEXTS_LENGTH_MAX,
      `may have ${TEXTS_LENGTH_MAX} characters together, since a body may have ${BODY_MAX_BYTES} bytes (shared/transport/body.ts)`,
    ),
  ),
  policy: v.optional(Policy),
})

/** What a form cannot be, in a sentence; `undefined` when it can be. */
export function faultOfForm(form: unknown): string | undefined {
  const { issues } = v.safeParse(Form, form, { abortPipeEarly: true })
  const [issue] = issues ?? []
  if (!issue) return undefined
  const place = issue.path?.map(({ key }) => String(key)).join('.') ?? 'ratingForm'
  const isMissing = issue.type === 'strict_object' && issue.expected !== 'never'
  if (issue.type !== 'strict_object') return `${place} ${issue.message}.`
  return `${place} ${isMissing ? 'is missing' : 'is nothing that a form has'}.`
}

/** The form that functions are built with. @throws {Error} with a sentence when there can be no such form */
export async function readRatingForm(file = formFile): Promise<FormDefinition> {
  const { outputFiles } = await build({
    absWorkingDir: projectFolder,
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    logLevel: 'silent',
  })
  const module = { exports: {} as { ratingForm?: unknown } }
  vm.runInNewContext(outputFiles[0]?.text ?? '', { module }, { timeout: 1000 })
  const { ratingForm } = module.exports
  const fault = faultOfForm(ratingForm)
  if (fault !== undefined) throw new Error(`${file}: ${fault}`)
  return ratingForm as FormDefinition
}

/** Puts the checked form into a bundle: what is bundled is what was looked at. */
export function checkedRatingForm(file = formFile): Plugin {
  const watched = { watchFiles: [path.resolve(projectFolder, file)] }
  return {
    name: 'rating-form',
    setup: ({ onLoad }) =>
      onLoad({ filter: /[\\/]shared[\\/]domain[\\/]form\.ts$/ }, async () => {
        try {
          const contents = `export const ratingForm = ${JSON.stringify(await readRatingForm(file))}`
          return { contents, ...watched }
        } catch (error) {
          return { errors: [{ text: (error as Error).message }], ...watched }
        }
      }),
  }
}

function isDistinct(names: readonly string[]): boolean {
  return new Set(names).size === names.length
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp
  } catch {
    return false
  }
}

/** Functions test a pattern on whatever is sent; one that explodes would hold them up. */
function isQuick(pattern: string): boolean {
  const test = 'numbers.every((number) => [new RegExp(pattern).test(number)])'
  try {
    vm.runInNewContext(test, { pattern, numbers: hostileNumbers }, { timeout: PATTERN_TIMEOUT_MS })
    return true
  } catch {
    return false
  }
}
