/** The form that is measured: without a policy, since one person sends all the ratings. */

import type { FormDefinition } from '../../shared/domain/form-definition.ts'

const stars = { min: 1, max: 5, required: true }
const text = { maxLength: 500, required: false }

/** Three grades of five stars and three texts. */
export const ratingForm: FormDefinition = {
  account: { name: 'acc_nbr', label: '账号', pattern: '^[0-9]{5,20}$', hint: '5 到 20 位数字' },
  grades: [
    { name: 'grade1', label: '评分一', ...stars },
    { name: 'grade2', label: '评分二', ...stars },
    { name: 'grade3', label: '评分三', ...stars },
  ],
  texts: [
    { name: 'txt1', label: '文字一', ...text },
    { name: 'txt2', label: '文字二', ...text },
    { name: 'txt3', label: '文字三', ...text },
  ],
}

/** Where the builder finds it. */
export const ratingFormFile = 'scripts/bench/rating-form.ts'
