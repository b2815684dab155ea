/** How large each function is: the zip of its minified bundle, and what its compiled form adds to that. */

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { StoreDoor } from '../../shared/store/doors.ts'
import { functionNames } from '../build/bundle.ts'
import { withClosers } from '../cli/closers.ts'
import { deterministicZip } from '../tencent/zip.ts'
import { deployedBundle, temporaryFolder } from './back-end.ts'
import { atMost, type Benchmark, type Budget, type Row } from './figure.ts'
import { runtimeNode, withoutRuntimeNode } from './measured-node.ts'

const ZIP_BUDGETS: Record<StoreDoor, Budget> = {
  planetscale: atMost(30, 20),
  mysql: atMost(62, 55),
}
const CODE_CACHE = atMost(300, 300)

/** A zip's KiB per function and store door; login is the largest by nature, it alone talks to WeChat. */
export const size: Benchmark = () =>
  withClosers(async (defer) => {
    const folder = await temporaryFolder(defer)
    const rows: Row[] = []
    for (const storeDoor of ['planetscale', 'mysql'] as const) {
      for (const name of functionNames) {
        const bundle = await deployedBundle(name, storeDoor, folder)
        const outdir = path.dirname(bundle.file)
        const zipOf = async (names: readonly string[]): Promise<number> => {
          const read = names.map(async (each) => ({
            name: each,
            data: await readFile(path.join(outdir, each)),
          }))
          return (await deterministicZip(await Promise.all(read))).length / 1024
        }
        const codeKiB = await zipOf(bundle.files.filter((each) => !each.endsWith('.cache')))
        rows.push({
          what: `zip of ${name}, ${storeDoor}`,
          value: codeKiB,
          unit: 'KiB',
          budget: ZIP_BUDGETS[storeDoor],
          detail: `bundle ${(bundle.bytes / 1024).toFixed(1)} KiB`,
        })
        const what = `code cache in the zip of ${name}, ${storeDoor}`
        if (!runtimeNode) {
          rows.push({ what, skipped: withoutRuntimeNode })
          continue
        }
        const wholeKiB = await zipOf(bundle.files)
        rows.push({
          what,
          value: wholeKiB - codeKiB,
          unit: 'KiB',
          budget: CODE_CACHE,
          detail: `${wholeKiB.toFixed(0)} KiB are uploaded`,
        })
      }
    }
    return rows
  })
