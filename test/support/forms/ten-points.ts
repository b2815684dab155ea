/** A form that shares nothing with the one that is shipped but what every form has. */

import type { FormDefinition } from '../../../shared/domain/form-definition.ts'

/** Two grades from 0 to 10, one of which may be left out, in the table's last columns; one text, which may not; a rating a day. */
export const ratingForm = {
  account: { name: 'acc_nbr', label: '工号', pattern: '^[0-9]{6}$', hint: '6 位数字' },
  grades: [
    { name: 'grade3', label: '态度', min: 0, max: 10, required: true },
    { name: 'grade2', label: '速度', min: 0, max: 10, required: false },
  ],
  texts: [{ name: 'txt2', label: '说明', maxLength: 20, required: true }],
  policy: { atMost: 1, per: 'day', further: 'refuse' },
} as const satisfies FormDefinition
