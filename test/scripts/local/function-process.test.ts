import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureLine } from '../../../scripts/local/failure-line.ts'
import { FunctionInstances } from '../../../scripts/local/function-instances.ts'
import type { FunctionProcess } from '../../../scripts/local/function-process.ts'
import type { PlatformError } from '../../../scripts/local/platform.ts'
import { type LocalFunctions, localFunctions } from '../../support/local-functions.ts'

let functions: LocalFunctions
beforeAll(async () => {
  functions = await localFunctions()
})
afterAll(() => functions?.close())

/** What the bundle `index` returns. */
interface Seen {
  calls: number
  ticks: number
  env: Record<string, string>
  hour: number
}

async function seen(instance: FunctionProcess, event: object = {}): Promise<Seen> {
  const invocation = await instance.invoke(event)
  expect(invocation).toMatchObject({ ok: true })
  return (invocation.ok ? invocation.result : {}) as Seen
}

/** https://cloud.tencent.com/document/product/583/30228, without those of a role. */
const documentedVariables = [
  ...['TENCENTCLOUD_RUNENV', 'TENCENTCLOUD_REGION', 'TENCENTCLOUD_APPID', 'TENCENTCLOUD_UIN'],
  ...['TENCENTCLOUD_TZ', 'SCF_RUNTIME', 'SCF_FUNCTIONNAME', 'SCF_FUNCTIONVERSION', 'SCF_NAMESPACE'],
  ...['_SCF_SERVER_PORT', 'USER_CODE_ROOT', 'NODE_PATH', 'PWD', 'HOME', 'USER', 'LOGNAME', 'LANG'],
  ...['LC_ALL', 'SHELL'],
]

describe('a local function', () => {
  test('sees its own variables and all that the platform sets, and nothing of this process', async () => {
    process.env.MINISCORE_STRANGER = 'no'
    const { env, hour } = await seen(functions.start())
    expect(env).toMatchObject({ OWN: 'yes', SCF_FUNCTIONNAME: 'test', HOME: '/home/qcloud' })
    expect(env).not.toHaveProperty('MINISCORE_STRANGER')
    expect(documentedVariables.filter((name) => !env[name])).toEqual([])
    expect(env).not.toHaveProperty('TENCENTCLOUD_SECRETID')
    expect(hour).toBe(0)
  })

  test('keeps its state between invocations, like an instance that is reused; nothing runs in between', async () => {
    const [frozen, running] = [functions.start(), functions.start({ freezes: false })]
    const [before, beforeRunning] = [await seen(frozen), await seen(running)]
    const ticksOf = async (): Promise<number> => (await seen(running)).ticks
    await expect.poll(ticksOf).toBeGreaterThan(beforeRunning.ticks + 20)
    const after = await seen(frozen)
    expect(after.calls).toBe(2)
    expect(after.ticks - before.ticks).toBeLessThan(20)
  })

  test.each([
    ['wait', 433, 'Invoking task timed out after 0.4 seconds'],
    ['throw', 430, 'user code exception caught'],
    ['exit', 439, 'the process of the function ended'],
    ['fill the heap', 434, 'more memory than 128 MB'],
    ['fill a buffer', 434, 'more memory than 128 MB'],
  ])(
    'told to %s fails with %i, and the next call gets a new instance',
    async (action, statusCode, errorMessage) => {
      const instance = functions.start(action === 'wait' ? { timeoutMs: 400 } : {})
      const failed = await instance.invoke({ do: action, ms: 100_000 })
      const error = { errorCode: -1, statusCode, errorMessage }
      expect(failed).toMatchObject({ ok: false, error })
      expect((await seen(instance)).calls).toBe(1)
    },
  )

  test('an event or a result of more than 6 MB is refused, and the instance goes on', async () => {
    const instance = functions.start()
    await seen(instance)
    const much = { do: 'x'.repeat(6 * 1024 * 1024) }
    expect(await instance.invoke(much)).toMatchObject({ error: { statusCode: 406 } })
    const returning = await instance.invoke({ do: 'return much' })
    expect(returning).toMatchObject({ error: { statusCode: 407 } })
    expect((await seen(instance)).calls).toBe(3)
  })

  test.each([
    ['empty', 437, 'does not export main_handler'],
    ['broken', 437, 'at load'],
    ['missing', 437, 'Cannot find module'],
    ['endless', 450, 'Init timed out after 0.5 seconds'],
  ])('whose bundle is %s fails with %i and says why', async (name, statusCode, reason) => {
    const initTimeoutMs = name === 'endless' ? 500 : 20_000
    const instance = functions.start({ file: functions.file(name), initTimeoutMs })
    const invocation = await instance.invoke({})
    expect(invocation).toMatchObject({ ok: false, error: { statusCode } })
    expect(JSON.stringify(invocation)).toContain(reason)
  })

  test.each([
    ['throws', { do: 'throw' }, /it threw: Error: thrown/, /index\.ts:\d+:\d+$/],
    ['loops', { do: 'loop' }, /timed out/, /^it is busy at .*index\.ts:(8|9):\d+$/],
    ['waits for a timer', { do: 'await nothing' }, /timed out/, /^it waits for a timer$/],
    ['does not load', 'broken', /it does not load: Error: at load/, /broken\.ts:1:7$/],
    ['loops while loading', 'endless', /Init timed out/, /^it is busy at .*endless\.ts:1:\d+$/],
  ])('that %s says so with its place', async (_title, what, message, place) => {
    const failures: [PlatformError, string | undefined][] = []
    const isEvent = typeof what === 'object'
    const instance = functions.start({
      timeoutMs: 500,
      initTimeoutMs: isEvent ? 20_000 : 1500,
      onFailure: (...failure) => failures.push(failure),
      ...(isEvent ? {} : { file: functions.file(what) }),
    })
    await instance.invoke(isEvent ? what : {})
    const [[error, known] = []] = failures
    const line = error && failureLine('test', error, known, '/')
    expect(line?.message).toMatch(message)
    expect(line?.place).toMatch(place)
  })

  test('prints, and with the platform log prints what the platform logs: the return value too', async () => {
    const lines: string[] = []
    const print = (line: string) => lines.push(line)
    const instance = functions.start({ onLine: print, onPlatformLine: print })
    const { requestId } = await instance.invoke({ do: 'print' })
    await expect.poll(() => lines).toContain('a line')
    expect(lines).toContain(`START RequestId:${requestId}`)
    expect(lines.find((line) => line.startsWith('Response'))).toContain('RetMsg:')
    expect(lines.find((line) => line.startsWith('Response'))).toContain('OWN')
    const report = /^Report RequestId:\S+ Duration:\d+ms Memory:128MB MemUsage:[1-9]\d*\.\d\dMB$/
    expect(lines.at(-1)).toMatch(report)
    await instance.invoke({})
    const inits = lines.filter((line) => line.startsWith('Init Report'))
    expect(inits).toEqual([
      expect.stringMatching(
        /^Init Report RequestId: \S+ Coldstart: \d+ms \(PullCode: 0ms InitRuntime: \d+ms InitFunction: \d+ms\) Memory: 128MB MemUsage: [1-9]\d*\.\d\dMB$/,
      ),
    ])
    expect(inits[0]).toContain(requestId)
  })

  test('that waits for an empty event loop answers at once, and is busy until then', async () => {
    const lines: string[] = []
    const instance = functions.start({ onLine: (line) => lines.push(line) })
    expect(await instance.invoke({ do: 'linger', ms: 300 })).toMatchObject({ ok: true })
    expect(lines).toEqual([])
    expect(instance.pending).toBe(1)
    await instance.ended()
    expect(lines).toEqual(['lingered'])
    expect((await seen(instance)).calls).toBe(2)
  })

  test('whose event loop never gets empty is ended by its time-out, though the caller has the answer', async () => {
    const failures: unknown[] = []
    const instance = functions.start({
      timeoutMs: 400,
      onFailure: ({ statusCode }, place) => failures.push([statusCode, place]),
    })
    expect(await instance.invoke({ do: 'linger', ms: 100_000 })).toMatchObject({ ok: true })
    await instance.ended()
    expect(failures).toEqual([[433, expect.stringContaining('callbackWaitsForEmptyEventLoop')]])
  })

  test('a request that is under way when the code changes ends on the code it was begun with', async () => {
    const failures: unknown[] = []
    const onFailure = (failure: unknown) => void failures.push(failure)
    let waiting = 0
    const onLine = () => void waiting++
    const instances = new FunctionInstances({ ...functions.start().options, onFailure, onLine })
    const underWay = instances.invoke({ do: 'wait', ms: 300 })
    await instances.renew()
    expect(await instances.invoke({})).toMatchObject({ ok: true, result: { calls: 1 } })
    expect(await underWay).toMatchObject({ ok: true, result: { calls: 1 } })
    const cutOff = instances.invoke({ do: 'wait', ms: 100_000 })
    await expect.poll(() => waiting).toBe(2)
    await instances.stop()
    expect(await cutOff).toMatchObject({ ok: false, error: { statusCode: 439 } })
    // Nothing to look into: it was stopped.
    expect(failures).toEqual([])
  })

  test('busy instances are joined by others, up to four; then requests wait', async () => {
    const instances = new FunctionInstances(functions.start().options)
    const results = await Promise.all(
      Array.from({ length: 6 }, () => instances.invoke({ do: 'wait' })),
    )
    await instances.stop()
    const calls = results.map((each) => (each.ok ? (each.result as Seen).calls : 0))
    expect(calls.sort()).toEqual([1, 1, 1, 1, 2, 2])
  })
})
