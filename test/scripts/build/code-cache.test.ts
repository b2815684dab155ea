import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { compileAhead, type RuntimeNode } from '../../../scripts/build/code-cache.ts'
import { defaults } from '../../../scripts/service/service.ts'
import { findRuntimeNode, runtimeNodeVersion } from '../../../scripts/tencent/runtime-node.ts'

const root = mkdtempSync(join(tmpdir(), 'code-cache-'))
afterAll(() => rmSync(root, { recursive: true }))

const thisNode: RuntimeNode = { file: process.execPath, version: process.version }
const isCompilable = `${process.platform}-${process.arch}` === 'linux-x64'
const source = `exports.main_handler = () => ({ cache: globalThis.CODE_CACHE, at: new Error().stack.split('\\n')[1].trim() })
if (require.main === module) console.log(JSON.stringify(exports.main_handler()))
`

async function compiled(folder: string, node: RuntimeNode, code = source) {
  await mkdir(join(root, folder))
  const file = join(root, folder, 'index.js')
  await writeFile(file, code)
  const names = await compileAhead(file, node)
  return {
    file,
    names,
    path: (suffix: string) => join(root, folder, names.find((each) => each.endsWith(suffix)) ?? ''),
  }
}

async function answerOf(file: string): Promise<{ cache: string; at: string }> {
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env: {} })
  return JSON.parse(stdout)
}

describe.runIf(isCompilable)('a bundle that was compiled ahead', () => {
  test('runs from its compiled form on the Node it was made by, and says so', async () => {
    const { file } = await compiled('taken', thisNode)
    expect((await answerOf(file)).cache).toBe('taken')
  })

  test('keeps the places of its code in stacks', async () => {
    const { file, names } = await compiled('places', thisNode)
    expect((await answerOf(file)).at).toContain(`${names[1]}:1:`)
  })

  test('is the same bytes at every build', async () => {
    const [left, right] = [await compiled('one', thisNode), await compiled('two', thisNode)]
    expect(left.names).toEqual(right.names)
    for (const suffix of ['index.js', '.cache'])
      expect((await readFile(left.path(suffix))).equals(await readFile(right.path(suffix)))).toBe(
        true,
      )
  })

  test('does not so much as offer it to another Node, whose V8 might take it and crash', async () => {
    const { file } = await compiled('other', { ...thisNode, version: 'v20.0.0' })
    expect((await answerOf(file)).cache).toBe(`not for ${process.version}`)
  })

  test('answers when the compiled form is cut short, or gone', async () => {
    const { file, path } = await compiled('damaged', thisNode)
    const bytes = await readFile(path('.cache'))
    await writeFile(path('.cache'), bytes.subarray(0, bytes.length - 8))
    expect((await answerOf(file)).cache).toBe('refused')
    rmSync(path('.cache'))
    expect((await answerOf(file)).cache).toBe(`not for ${process.version}`)
  })

  test('is never paired with another one’s: what they are called follows from what they hold', async () => {
    const one = await compiled('pair', thisNode)
    const other = await compiled(
      'pair-of-equal-length',
      thisNode,
      source.replace('cache:', 'CACHE:'),
    )
    expect(other.names[2]).not.toBe(one.names[2])
  })
})

test('the Node that is brought is one of the runtime that serverless.yml names', () => {
  expect(`Nodejs${runtimeNodeVersion()}`).toMatch(new RegExp(`^${defaults.runtime}\\.\\d+$`))
})

test('functions for another runtime are not compiled by it', () => {
  expect(findRuntimeNode('Nodejs18.15')).toBeUndefined()
})
