/** Ratings as the form has them: what is accepted, how a form-encoded one is read, and which columns are answered. */

import * as v from 'valibot'
import type { FormFieldKind } from '../call.ts'
import type { NewScore } from '../ports.ts'
import { ratingForm } from './form.ts'
import type { FormDefinition, GradeField, TextField } from './form-definition.ts'

/** Column of a grade that the form uses. */
export type GradeName = (typeof ratingForm.grades)[number]['name']
/** Column of a text that the form uses. */
export type TextName = (typeof ratingForm.texts)[number]['name']

const { account, grades, texts, policy }: FormDefinition = ratingForm

/** How often one person may rate one account; `undefined` for as often as they like. */
export const ratingPolicy = policy

/** The columns of grades that the form uses, in its order. */
export const gradeNames = grades.map(({ name }) => name) as readonly GradeName[]

/**
 * What the column can hold: a database that compares text disregards spaces at its end. A string and nothing else;
 * `{"acc_nbr": 0}` would match every account in MySQL.
 */
const COLUMN_PATTERN = /^[\x21-\x7e]{1,64}$/
const formPattern = new RegExp(`^(?:${account.pattern})$`)
const accountMessage = `${account.label}应为 ${account.hint}`

/** An account that is asked about: ratings from before the form's pattern changed stay readable. */
export const KnownAccountNumber = v.pipe(
  v.string(accountMessage),
  v.check((text) => COLUMN_PATTERN.test(text), accountMessage),
)

/** An account that is rated. */
export const AccountNumber = v.pipe(
  KnownAccountNumber,
  v.check((text) => formPattern.test(text), accountMessage),
)

/** A rating that passed the form. A grade that was not given, or is not of the form, is `null`, such a text `''`. */
export type GivenRating = Omit<NewScore, 'userId' | 'idempotencyKey'>

const unanswered = { grade1: null, grade2: null, grade3: null, txt1: '', txt2: '', txt3: '' }

/** The body of `POST /score`. */
export const RatingInput = v.pipe(
  v.strictObject({
    acc_nbr: AccountNumber,
    ...gradesByName(gradeSchema),
    ...textsByName(textSchema),
  }),
  v.transform((given): GivenRating => ({ ...unanswered, ...given })),
)

/** How the values of a form-encoded rating are read. */
export const ratingFormKinds: Record<string, FormFieldKind> = {
  acc_nbr: 'identifier',
  ...gradesByName((): FormFieldKind => 'integer'),
  ...textsByName((): FormFieldKind => 'text'),
}

/** The columns that an answer tells of a rating: those that the form uses. */
export const ratingColumns = {
  ...gradesByName(() => v.nullable(v.number())),
  ...textsByName(() => v.string()),
}

/** An object with a member for each grade of the form. */
export function gradesByName<Value>(make: (field: GradeField) => Value): Record<GradeName, Value> {
  return Object.fromEntries(grades.map((field) => [field.name, make(field)])) as Record<
    GradeName,
    Value
  >
}

function textsByName<Value>(make: (field: TextField) => Value): Record<TextName, Value> {
  return Object.fromEntries(texts.map((field) => [field.name, make(field)])) as Record<
    TextName,
    Value
  >
}

function gradeSchema({
  label,
  min,
  max,
  required,
}: GradeField): v.GenericSchema<unknown, number | null> {
  const message = `${label}应为 ${min} 到 ${max} 的整数`
  const grade = v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  )
  return required ? grade : v.optional(v.nullable(grade), null)
}

function textSchema({ label, maxLength, required }: TextField): v.GenericSchema<unknown, string> {
  const text = v.pipe(
    v.string(`${label}应为文字`),
    v.check(
      (value) => value.length <= maxLength || [...value].length <= maxLength,
      `${label}不能超过 ${maxLength} 个字`,
    ),
    v.check((value) => !required || value.length > 0, `请填写${label}`),
  )
  return required ? text : v.optional(text, '')
}
