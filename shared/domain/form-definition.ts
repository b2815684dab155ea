/** What a rating form may be. What types cannot say is checked where bundles are made, in `scripts/build/rating-form.ts`. */

import type { RatingPolicy } from '../ports.ts'

/** The table's columns for grades. */
export const gradeColumns = ['grade1', 'grade2', 'grade3'] as const
/** The table's columns for texts. */
export const textColumns = ['txt1', 'txt2', 'txt3'] as const

/** Column of a grade. */
export type GradeColumn = (typeof gradeColumns)[number]
/** Column of a text. */
export type TextColumn = (typeof textColumns)[number]

/** What is rated. */
export interface AccountField {
  name: 'acc_nbr'
  label: string
  /** A regular expression for the whole number, from `^` to `$`. */
  pattern: string
  /** What the pattern means, for people. */
  hint: string
}

/** A whole number from `min` to `max`. */
export interface GradeField {
  name: GradeColumn
  label: string
  min: number
  max: number
  required: boolean
}

/** A text; `maxLength` counts Unicode characters, as the database does, not UTF-16 units. */
export interface TextField {
  name: TextColumn
  label: string
  maxLength: number
  required: boolean
}

type UpToThree<Field> =
  | readonly []
  | readonly [Field]
  | readonly [Field, Field]
  | readonly [Field, Field, Field]

/** A rating form: one to three grades and up to three texts, each a column of its own. */
export interface FormDefinition {
  account: AccountField
  grades: Exclude<UpToThree<GradeField>, readonly []>
  texts: UpToThree<TextField>
  /** Without one every submission is a rating of its own. */
  policy?: RatingPolicy
}
