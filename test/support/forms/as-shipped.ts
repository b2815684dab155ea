/** The form as it is shipped, for tests of what pages show; what is written in shared/domain/form.ts is free to change. */

import type { FormDefinition } from '../../../shared/domain/form-definition.ts'

/** Three grades of five stars, three texts, and one rating of an account for a person. */
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
