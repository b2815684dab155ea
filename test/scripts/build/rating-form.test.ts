import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleFunction } from '../../../scripts/build/bundle.ts'
import { faultOfForm, readRatingForm } from '../../../scripts/build/rating-form.ts'
import { ratingForm as fiveStars } from '../../support/forms/five-stars.ts'
import { ratingForm as tenPoints } from '../../support/forms/ten-points.ts'

const [grade, second, third] = fiveStars.grades
const [text] = fiveStars.texts
const { account } = fiveStars
const withGrade = (changes: object) => ({ ...fiveStars, grades: [{ ...grade, ...changes }] })
const withText = (changes: object) => ({ ...fiveStars, texts: [{ ...text, ...changes }] })
const withAccount = (changes: object) => ({ ...fiveStars, account: { ...account, ...changes } })

describe('a form', () => {
  test('as it stands in shared/domain/form.ts can be built', async () => {
    expect(faultOfForm(await readRatingForm('shared/domain/form.ts'))).toBeUndefined()
  })

  test.each<[what: string, form: unknown]>([
    ['of two grades and a text', tenPoints],
    ['without texts', { ...fiveStars, texts: [] }],
    ['with all grades that a column holds of a thousand', withGrade({ min: -32768, max: -31769 })],
    ['up to the largest grade', withGrade({ min: 32000, max: 32767 })],
    ['with another order', { ...fiveStars, grades: [third, grade, second] }],
    ['with letters in its numbers', withAccount({ pattern: '^[A-Z]{2}-\\d{4}$' })],
    ['with one long text', withText({ maxLength: 1700 })],
  ])('%s can be', (_what, form) => {
    expect(faultOfForm(form)).toBeUndefined()
  })

  test.each<[what: string, form: unknown, fault: RegExp]>([
    [
      'a fourth grade',
      { ...fiveStars, grades: [...fiveStars.grades, { ...grade, name: 'grade4' }] },
      /^grades\.3\.name must be a column of the table: grade1, grade2, grade3\.$/,
    ],
    ['a renamed grade', withGrade({ name: 'speed' }), /^grades\.0\.name must be a column/],
    [
      'a text in a grade’s column',
      withText({ name: 'grade1' }),
      /^texts\.0\.name must be a column of the table: txt1, txt2, txt3\.$/,
    ],
    ['no grade', { ...fiveStars, grades: [] }, /^grades has 1 to 3 fields\.$/],
    [
      'a column twice',
      { ...fiveStars, grades: [grade, { ...second, name: 'grade1' }] },
      /^grades uses a column twice\.$/,
    ],
    [
      'a label twice',
      { ...fiveStars, grades: [grade, { ...second, label: '评分一' }] },
      /^grades uses a label twice\.$/,
    ],
    [
      'a grade beyond the column',
      withGrade({ max: 100_000 }),
      /^grades\.0\.max must be a whole number from -32768 to 32767\.$/,
    ],
    ['a grade of halves', withGrade({ max: 4.5 }), /^grades\.0\.max must be a whole number/],
    ['nothing to choose', withGrade({ min: 5 }), /^grades\.0 needs a max that is larger/],
    [
      'more grades than are counted',
      withGrade({ min: 0, max: 1000 }),
      /^grades\.0 has more than 1000 different grades/,
    ],
    [
      'a text beyond a request',
      withText({ maxLength: 20_000 }),
      /^texts\.0\.maxLength must be a whole number from 1 to 1706\.$/,
    ],
    [
      'texts beyond a request together',
      { ...fiveStars, texts: fiveStars.texts.map((each) => ({ ...each, maxLength: 600 })) },
      /^texts may have 1706 characters together, since a body/,
    ],
    ['an empty label', withText({ label: ' ' }), /^texts\.0\.label is empty\.$/],
    [
      'a member that is missing',
      withText({ required: undefined }),
      /^texts\.0\.required must be true or false\.$/,
    ],
    ['a member too many', withGrade({ step: 2 }), /^grades\.0\.step is nothing that a form has\.$/],
    ['a whole part missing', { ...fiveStars, account: undefined }, /^account /],
    [
      'a pattern of a part',
      withAccount({ pattern: '[0-9]{5}' }),
      /^account\.pattern must begin with \^ and end with \$/,
    ],
    [
      'a pattern that is none',
      withAccount({ pattern: '^[0-9$' }),
      /^account\.pattern is not a regular expression\.$/,
    ],
    [
      'a pattern of nothing',
      withAccount({ pattern: '^[0-9]*$' }),
      /^account\.pattern must not accept an empty number\.$/,
    ],
    [
      'no rating for a person',
      { ...fiveStars, policy: { ...tenPoints.policy, atMost: 0 } },
      /^policy\.atMost must be a whole number from 1 to 100\.$/,
    ],
    [
      'a period that nobody counts',
      { ...fiveStars, policy: { ...tenPoints.policy, per: 'year' } },
      /^policy\.per must be ever, week, day or hour\.$/,
    ],
    [
      'a policy without an end',
      { ...fiveStars, policy: { atMost: 1, per: 'day' } },
      /^policy\.further is missing\.$/,
    ],
    [
      'a pattern that explodes',
      withAccount({ pattern: '^(1+)+$' }),
      /^account\.pattern takes too long/,
    ],
    ['no form at all', undefined, /^ratingForm /],
  ])('with %s is refused in a sentence', (_what, form, fault) => {
    expect(faultOfForm(form)).toMatch(fault)
  })
})

describe('building', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-form-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('a form that cannot be makes no bundle, and the file and the place are named', async () => {
    const file = path.join(folder, 'form.ts')
    await writeFile(
      file,
      `export const ratingForm = ${JSON.stringify(withGrade({ max: 100_000 }))} as const`,
    )
    const options = { storeDoor: 'planetscale', outdir: folder, ratingForm: file } as const
    await expect(bundleFunction('submit-score', options)).rejects.toThrow(
      `${file}: grades.0.max must be a whole number from -32768 to 32767.`,
    )
  })
})
