/**
 * The rating form: edit this one object to rate something else. Validation, `GET /form` and
 * the reading of form-encoded bodies follow from it. The names are the columns of the table
 * and stay; labels, ranges, lengths, `required` and the account pattern are yours to change.
 */

import * as v from 'valibot'
import type { FormFieldKind } from '../call.ts'

/** The form as shipped; see the head of this file. */
export const ratingForm = {
  /** ASCII, at most 64 characters: the column is `varchar(64)`. */
  account: { name: 'acc_nbr', label: '账号', pattern: '^[0-9]{5,20}$', hint: '5 到 20 位数字' },
  grades: [
    { name: 'grade1', label: '评分一', min: 1, max: 5, required: true },
    { name: 'grade2', label: '评分二', min: 1, max: 5, required: true },
    { name: 'grade3', label: '评分三', min: 1, max: 5, required: true },
  ],
  /** `maxLength` counts Unicode characters, as the database does, not UTF-16 units. */
  texts: [
    { name: 'txt1', label: '文字一', maxLength: 500, required: false },
    { name: 'txt2', label: '文字二', maxLength: 500, required: false },
    { name: 'txt3', label: '文字三', maxLength: 500, required: false },
  ],
} as const

/** Column of a grade. */
export type GradeName = (typeof ratingForm.grades)[number]['name']
/** Column of a text. */
export type TextName = (typeof ratingForm.texts)[number]['name']

interface GradeField {
  name: GradeName
  label: string
  min: number
  max: number
  required: boolean
}

interface TextField {
  name: TextName
  label: string
  maxLength: number
  required: boolean
}

const { account } = ratingForm
const accountPattern = new RegExp(account.pattern)
const ACCOUNT_MAX_LENGTH = 64

/** `acc_nbr`: a string and nothing else; `{"acc_nbr": 0}` would match every account in MySQL. */
export const AccountNumber = v.pipe(
  v.string(`${named(account)}应为字符串`),
  v.check(
    (text) => text.length <= ACCOUNT_MAX_LENGTH && accountPattern.test(text),
    `${named(account)}应为 ${account.hint}`,
  ),
)

/** The body of `POST /score`. An optional text left out is stored as `''`, an optional grade as `null`. */
export const RatingInput = v.strictObject({
  acc_nbr: AccountNumber,
  grade1: gradeSchema(ratingForm.grades[0]),
  grade2: gradeSchema(ratingForm.grades[1]),
  grade3: gradeSchema(ratingForm.grades[2]),
  txt1: textSchema(ratingForm.texts[0]),
  txt2: textSchema(ratingForm.texts[1]),
  txt3: textSchema(ratingForm.texts[2]),
})

/** A rating that passed the form. */
export type RatingInput = v.InferOutput<typeof RatingInput>

/** How the values of a form-encoded rating are read. */
export const ratingFormKinds: Record<keyof RatingInput, FormFieldKind> = {
  acc_nbr: 'identifier',
  grade1: 'integer',
  grade2: 'integer',
  grade3: 'integer',
  txt1: 'text',
  txt2: 'text',
  txt3: 'text',
}

/** `评分一（grade1）`: how messages call a field. */
function named(field: { name: string; label: string }): string {
  return `${field.label}（${field.name}）`
}

function gradeSchema(field: GradeField) {
  const message = `${named(field)}应为 ${field.min} 到 ${field.max} 的整数`
  const grade = v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(field.min, message),
    v.maxValue(field.max, message),
    v.transform((value) => value as number | null),
  )
  return field.required ? grade : v.optional(v.nullable(grade), null)
}

function textSchema(field: TextField) {
  const { maxLength } = field
  const text = v.pipe(
    v.string(`${named(field)}应为字符串`),
    v.check(
      (value) => value.length <= maxLength || [...value].length <= maxLength,
      `${named(field)}不能超过 ${maxLength} 个字`,
    ),
    v.check((value) => !field.required || value.length > 0, `请填写${named(field)}`),
  )
  return field.required ? text : v.optional(text, '')
}
