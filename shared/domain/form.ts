/**
 * The rating form: edit this one object to rate something else. Validation, `GET /form`, the reading of form-encoded
 * bodies, answers, summaries, the client's types and the example follow from it. It uses one to three of the columns
 * `grade1` to `grade3` and up to three of `txt1` to `txt3`; what it cannot be is refused at build. A column it does not
 * use, or not any more, is neither asked for nor answered.
 */

import type { FormDefinition } from './form-definition.ts'

/** The form as shipped; see the head of this file. */
export const ratingForm = {
  account: { name: 'acc_nbr', label: '账号', pattern: '^[0-9]{5,20}$', hint: '5 到 20 位数字' },
  grades: [
    { name: 'grade1', label: '评分一', min: 1, max: 5, required: true },
    { name: 'grade2', label: '评分二', min: 1, max: 5, required: true },
    { name: 'grade3', label: '评分三', min: 1, max: 5, required: true },
  ],
  texts: [
    { name: 'txt1', label: '文字一', maxLength: 500, required: false },
    { name: 'txt2', label: '文字二', maxLength: 500, required: false },
    { name: 'txt3', label: '文字三', maxLength: 500, required: false },
  ],
  /** One person, one voice: rated again, an account shows what they think now. */
  policy: { atMost: 1, per: 'ever', further: 'replace-last' },
} as const satisfies FormDefinition
