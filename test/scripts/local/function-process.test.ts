import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FunctionInstances } from '../../../scripts/local/function-instances.ts'
import {
  FunctionProcess,
  type FunctionProcessOptions,
} from '../../../scripts/local/function-process.ts'

const source = `
let calls = 0
exports.main_handler = async (event, context) => {
  calls++
  if (event.do === 'throw') throw new Error('thrown')
  if (event.do === 'hang') await new Promise(() => setInterval(() => {}, 1000))
  if (event.do === 'exit') process.exit(3)
  if (event.do === 'print') console.log('a line')
  if (event.do === 'wait') await new Promise((resolve) => setTimeout(resolve, 100))
  return { calls, env: process.env, remaining: context.getRemainingTimeInMillis(), context }
}`

let folder: string
const running: { stop(): Promise<void> }[] = []
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-function-'))
  await writeFile(path.join(folder, 'index.js'), source)
  await writeFile(path.join(folder, 'empty.js'), '')
  await writeFile(path.join(folder, 'broken.js'), 'throw new Error("at load")')
})
afterAll(async () => {
  await Promise.all(running.map((each) => each.stop()))
  await rm(folder, { recursive: true, force: true })
})

function start(changes: Partial<FunctionProcessOptions> = {}): FunctionProcess {
  const process = new FunctionProcess({
    name: 'test',
    file: path.join(folder, 'index.js'),
    environment: { OWN: 'yes' },
    timeoutMs: 2000,
    ...changes,
  })
  running.push(process)
  return process
}

describe('a local function', () => {
  test('sees its own variables and the platform’s, and nothing of this process', async () => {
    process.env.MINISCORE_STRANGER = 'no'
    const invocation = await start().invoke({})
    const { env } = (invocation.ok ? invocation.result : {}) as { env: Record<string, string> }
    expect(env).toMatchObject({ OWN: 'yes', SCF_FUNCTIONNAME: 'test', TENCENTCLOUD_RUNENV: 'SCF' })
    expect(env).not.toHaveProperty('MINISCORE_STRANGER')
    expect(env).not.toHaveProperty('HOME')
  })

  test('keeps its state between invocations, like an instance that is reused', async () => {
    const instance = start()
    await instance.invoke({})
    expect(await instance.invoke({})).toMatchObject({ ok: true, result: { calls: 2 } })
  })

  test.each([
    ['hang', 433, 'Invoking task timed out after 0.3 seconds'],
    ['throw', 430, 'user code exception caught'],
    ['exit', 439, 'the process of the function ended'],
  ])(
    'that %ss fails with %i, and the next call gets a new instance',
    async (action, statusCode, errorMessage) => {
      const instance = start({ timeoutMs: action === 'hang' ? 300 : 2000 })
      const failed = await instance.invoke({ do: action })
      expect(failed).toMatchObject({
        ok: false,
        error: { errorCode: -1, statusCode, errorMessage },
      })
      expect(await instance.invoke({})).toMatchObject({ ok: true, result: { calls: 1 } })
    },
  )

  test.each([
    ['empty.js', 'does not export main_handler'],
    ['broken.js', 'at load'],
    ['missing.js', 'Cannot find module'],
  ])('whose bundle is %s says why', async (file, reason) => {
    const invocation = await start({ file: path.join(folder, file) }).invoke({})
    expect(invocation).toMatchObject({ ok: false, error: { statusCode: 437 } })
    expect(JSON.stringify(invocation)).toContain(reason)
  })

  test('prints, and with the platform log prints what the platform logs: the return value too', async () => {
    const lines: string[] = []
    const print = (line: string) => lines.push(line)
    const { requestId } = await start({ onLine: print, onPlatformLine: print }).invoke({
      do: 'print',
    })
    await expect.poll(() => lines).toContain('a line')
    expect(lines).toContain(`START RequestId:${requestId}`)
    expect(lines.find((line) => line.startsWith('Response'))).toContain('RetMsg:')
    expect(lines.find((line) => line.startsWith('Response'))).toContain('OWN')
    expect(lines.at(-1)).toMatch(/^Report RequestId:\S+ Duration:\d+ms/)
  })

  test('busy instances are joined by others, up to four; then requests wait', async () => {
    const instances = new FunctionInstances({
      name: 'test',
      file: path.join(folder, 'index.js'),
      environment: {},
      timeoutMs: 2000,
    })
    running.push(instances)
    const results = await Promise.all(
      Array.from({ length: 6 }, () => instances.invoke({ do: 'wait' })),
    )
    const calls = results.map((each) => (each.ok ? (each.result as { calls: number }).calls : 0))
    expect(calls.sort()).toEqual([1, 1, 1, 1, 2, 2])
  })
})
