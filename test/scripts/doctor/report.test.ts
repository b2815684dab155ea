import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { projectFolder } from '../../../scripts/build/bundle.ts'
import { error, ok, reason } from '../../../scripts/doctor/report.ts'

test('a finding is made of its lines, and a value that has several makes no more of them', () => {
  const value = 'a\nb'
  expect(ok('x.y')`
    好 ${value}
    good ${value}`).toEqual({ id: 'x.y', severity: 'ok', zh: `好 ${value}`, en: `good ${value}` })
  const todo = { zh: '改', en: 'mend' }
  expect(error('x.y')`
    坏
    bad
    改
    mend`).toEqual({ id: 'x.y', severity: 'error', zh: '坏', en: 'bad', todo })
  expect(reason`${1}
    bad
    改
    mend`).toEqual({ zh: '1', en: 'bad', todo })
})

const TEMPLATE =
  /\b(ok|skipped|warning|error|reason)(?:\)?\((?:'[^']*'|`[^`]*`)\))?`(\n(?:[^`$]|\$\{(?:[^`{}]|`[^`]*`)*\})*)`/g

test('every sentence of the doctor stands in both languages, and says what to do where something is wrong', async () => {
  const folder = path.join(projectFolder, 'scripts/doctor')
  const files = (await readdir(folder))
    .filter((name) => name !== 'report.ts')
    .map((name) => path.join(folder, name))
  let findings = 0
  for (const file of [...files, path.join(projectFolder, 'scripts/doctor.ts')]) {
    for (const [whole, kind = '', text = ''] of (await readFile(file, 'utf8')).matchAll(TEMPLATE)) {
      const lines = text.trim().split('\n').length
      const isGood = kind === 'skipped' || (kind === 'ok' && !whole.includes('certificate'))
      expect(lines, `${path.basename(file)}: ${whole}`).toBe(isGood ? 2 : 4)
      findings++
    }
  }
  expect(findings).toBeGreaterThan(60)
})
