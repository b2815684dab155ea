/** How large each function is: the minified bundle, and the zip that is uploaded. */

import { readFile, stat } from 'node:fs/promises'
import type { StoreDoor } from '../../shared/store/doors.ts'
import { functionNames } from '../build/bundle.ts'
import { withClosers } from '../cli/closers.ts'
import { deterministicZip } from '../tencent/zip.ts'
import { bundleOf, temporaryFolder } from './back-end.ts'
import { atMost, type Benchmark, type Budget, type Measured } from './figure.ts'

const ZIP_BUDGETS: Record<StoreDoor, Budget> = {
  planetscale: atMost(25, 15),
  mysql: atMost(85, 70),
}

/** A zip's KiB per function and store door; login is the largest by nature, it alone talks to WeChat. */
export const size: Benchmark = () =>
  withClosers(async (defer) => {
    const folder = await temporaryFolder(defer)
    const rows: Measured[] = []
    for (const storeDoor of ['planetscale', 'mysql'] as const) {
      for (const name of functionNames) {
        const file = await bundleOf(name, storeDoor, folder)
        const zip = await deterministicZip([{ name: 'index.js', data: await readFile(file) }])
        const bundleKiB = (await stat(file)).size / 1024
        rows.push({
          what: `zip of ${name}, ${storeDoor}`,
          value: zip.length / 1024,
          unit: 'KiB',
          budget: ZIP_BUDGETS[storeDoor],
          detail: `bundle ${bundleKiB.toFixed(1)} KiB`,
        })
      }
    }
    return rows
  })
