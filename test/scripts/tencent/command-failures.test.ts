import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCloudClient } from '../../../scripts/tencent/cloud/client.ts'
import { credentialsFrom } from '../../../scripts/tencent/cloud/credentials.ts'
import { deployCommand } from '../../../scripts/tencent/commands/deploy.ts'
import { infoCommand } from '../../../scripts/tencent/commands/info.ts'
import { invokeCommand } from '../../../scripts/tencent/commands/invoke.ts'
import { logsCommand } from '../../../scripts/tencent/commands/logs.ts'
import { removeCommand } from '../../../scripts/tencent/commands/remove.ts'
import type { CliOptions } from '../../../scripts/tencent/framework.ts'
import { type CommandScene, startCommandScene, storedIn } from '../../support/command-scene.ts'

let scene: CommandScene
beforeAll(async () => {
  scene = await startCommandScene()
  await scene.run(deployCommand, 'deploy:deploy')
})
afterAll(async () => {
  await scene.close()
})

describe('the way to the cloud', () => {
  const connect = (endpoint: string) =>
    createCloudClient({
      credentials: { secretId: 'a', secretKey: 'b' },
      region: 'ap-guangzhou',
      namespace: 'default',
      endpoint,
    })

  test.each(['http://192.0.2.1:80', 'https://127.0.0.1:443', 'http://127.0.0.1.example.com', 'x'])(
    'an endpoint of %s is refused: only plain HTTP on this computer is for tests',
    async (endpoint) => {
      await expect(connect(endpoint)).rejects.toThrow('only http:// on this computer')
    },
  )

  test('an address nobody listens on is a network error, after three tries', async () => {
    const cloud = await connect('http://127.0.0.1:1')
    await expect(cloud.call('ListTriggers', { FunctionName: 'login' })).rejects.toMatchObject({
      code: 'NetworkError',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('missing credentials are named', () => {
    expect(() => credentialsFrom({ TENCENTCLOUD_SECRET_ID: 'a' })).toThrow(
      /^TENCENTCLOUD_SECRET_KEY is not set/,
    )
  })
})

describe('info', () => {
  test('a function that is not running is told, with exit code 1', async () => {
    const stored = storedIn(scene.cloud, 'login')
    stored.status = 'UpdateFailed'
    const outcome = await scene.run(infoCommand, 'info:info')
    stored.status = 'Active'
    expect(outcome.code).toBe(1)
    expect(outcome.output).toContain('login is UpdateFailed')
  })
})

describe('invoke', () => {
  const invoke = (options: CliOptions) =>
    scene.run(invokeCommand, 'invoke:invoke', { function: 'login', ...options })

  test('takes the event from a file, or as it is with --raw', async () => {
    await writeFile(join(scene.folder, 'event.json'), '{"say":"from a file"}')
    const fromFile = await invoke({ path: 'event.json', log: true })
    expect(fromFile.output).toMatch(/from a file[\s\S]*"login"$/)
    expect((await invoke({ data: 'plain text', raw: true })).code).toBe(0)
  })

  test.each<[string, CliOptions, RegExp]>([
    ['a throwing handler', { data: '{"fail":"broken"}' }, /login failed .*user code exception/],
    ['broken JSON', { data: '{' }, /--data is not JSON/],
    ['a missing file', { path: 'absent.json' }, /--path absent\.json cannot be read: ENOENT/],
    ['both sources at once', { data: '{}', path: 'event.json' }, /not both/],
    ['an unknown function', { function: 'logon' }, /There are: login, submit-score, query-scores/],
  ])('%s exits 1 with a sentence', async (_what, options, sentence) => {
    const outcome = await invoke(options)
    expect(outcome.code).toBe(1)
    expect(outcome.output).toMatch(sentence)
  })

  test('a Web function, which the cloud does not invoke, is explained', async () => {
    scene.configuration.functions.login.type = 'web'
    const outcome = await invoke({})
    delete scene.configuration.functions.login.type
    expect(outcome.output).toContain('only through its URL')
  })
})

describe('logs', () => {
  const logs = (options: CliOptions) =>
    scene.run(logsCommand, 'logs:logs', { function: 'login', ...options })
  const say = (key: string, text: string) =>
    scene.run(invokeCommand, 'invoke:invoke', {
      function: key,
      data: JSON.stringify({ say: text }),
    })

  test('shows this function’s lines in order, over several pages, filtered when asked', async () => {
    await say('login', 'first "quoted" line')
    await say('query-scores', 'not of login')
    const all = await logs({})
    expect(all.output).toMatch(/START RequestId[\s\S]*first "quoted" line[\s\S]*Report RequestId/)
    expect(all.output).not.toContain('not of login')
    const filtered = await logs({ filter: 'first "quoted"' })
    expect(filtered.output).toMatch(/^\S+Z first "quoted" line$/)
  })

  test.each<[CliOptions, RegExp]>([
    [{ startTime: 'yesterday' }, /neither like 30s/],
    [{ interval: '5' }, /--interval is milliseconds/],
  ])('%j is refused with a sentence', async (options, sentence) => {
    const outcome = await logs(options)
    expect(outcome.code).toBe(1)
    expect(outcome.output).toMatch(sentence)
  })

  test('says so when the function writes to no topic', async () => {
    const stored = storedIn(scene.cloud, 'login')
    const { topic } = stored
    stored.topic = ''
    const outcome = await logs({})
    stored.topic = topic
    expect(outcome.code).toBe(1)
    expect(outcome.output).toContain('writes to no log topic')
  })
})

describe('remove', () => {
  const remove = () => scene.run(removeCommand, 'remove:remove', { yes: true })

  test('a refusal in the middle is told, the rest goes, and a second run finishes', async () => {
    scene.cloud.failNext('DeleteFunction', {
      functionName: 'miniscore-dev-login',
      code: 'FailedOperation.DeleteFunction',
      message: '删除失败',
    })
    const first = await remove()
    expect(first.code).toBe(1)
    expect(first.output).toMatch(
      /login: DeleteFunction failed with FailedOperation\.DeleteFunction/,
    )
    expect(scene.cloud.functions().map(({ name }) => name)).toEqual(['miniscore-dev-login'])
    expect((await remove()).code).toBe(0)
    expect(scene.cloud.functions()).toEqual([])
    const third = await remove()
    expect(third.code).toBe(0)
    expect(third.output).toContain('There was no function to remove')
  })
})
