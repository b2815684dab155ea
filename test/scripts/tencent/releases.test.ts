import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readDeclarations } from '../../../scripts/build/declarations.ts'
import { desiredService } from '../../../scripts/service/service.ts'
import { deployCommand } from '../../../scripts/tencent/commands/deploy.ts'
import { infoCommand } from '../../../scripts/tencent/commands/info.ts'
import { rollbackCommand } from '../../../scripts/tencent/commands/rollback.ts'
import type { CliOptions } from '../../../scripts/tencent/framework.ts'
import { packageFunction } from '../../../scripts/tencent/package-functions.ts'
import {
  answeringCode,
  type CommandScene,
  type Outcome,
  type SceneOptions,
  startCommandScene,
  storedIn,
} from '../../support/command-scene.ts'
import { answerAt } from '../../support/tencent-cloud/public-answer.ts'
import { urlOf } from '../../support/tencent-cloud/triggers.ts'

let scene: CommandScene
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(async () => {
  vi.useRealTimers()
  await scene.close()
})

function laterBySeconds(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000)
}

async function deployed(options: SceneOptions = {}): Promise<void> {
  scene = await startCommandScene(options)
  expect(await deploy()).toMatchObject({ code: 0 })
}
function deploy(options: CliOptions = {}): Promise<Outcome> {
  return scene.run(deployCommand, 'deploy:deploy', options)
}
function rollback(options: CliOptions = {}): Promise<Outcome> {
  return scene.run(rollbackCommand, 'rollback:rollback', options)
}
/** Code that answers users with this name. */
function named(name: string): string {
  const reply = `{ statusCode: 200, headers: { 'content-type': 'text/plain' }, body: '${name}' }`
  return answeringCode('login', `if (event.path === '/login') return ${reply}`)
}
/** What users of login get. */
async function answerToUsers(): Promise<string> {
  const url = storedIn(scene.cloud, 'login').triggers.map(urlOf).find(Boolean) ?? ''
  return (await answerAt(scene.cloud.port, new URL('/login', url))).text
}
function versionOf(key: string): string {
  return storedIn(scene.cloud, key).alias.version
}

describe('a deploy', () => {
  test('changes code and variables behind the users’ back, and gives them both at once', async () => {
    await deployed()
    const before = versionOf('login')
    await scene.writeCode('login', named('second'))
    const { environment = {} } = scene.configuration.functions.login
    environment.SESSION_MAX_DAYS = '30'
    const seen: string[] = []
    const sent = await readFile(path.join(scene.folder, 'login.zip'))
    scene.cloud.onCall(({ action, functionName }) => {
      const stored = storedIn(scene.cloud, 'login')
      if (functionName !== stored.name) return
      const live = stored.versions.find(({ version }) => version === stored.alias.version)?.frozen
      const isNewCode = live?.running.equals(sent) === true
      const isNewVariable = live?.variables.SESSION_MAX_DAYS === '30'
      seen.push(
        `${action}: ${isNewCode ? 'new' : 'old'} code, ${isNewVariable ? 'new' : 'old'} variables`,
      )
    })
    expect((await deploy()).code).toBe(0)
    expect(seen.filter((line) => /new.*old|old.*new/.test(line))).toEqual([])
    expect(seen).toContain('PublishVersion: old code, old variables')
    expect(seen.at(-1)).toBe('UpdateAlias: new code, new variables')
    expect(versionOf('login')).not.toBe(before)
    expect(await answerToUsers()).toBe('second')
  })

  test('of the functions that ship passes its test', async () => {
    scene = await startCommandScene()
    const { functions } = desiredService(scene.configuration)
    const declarations = await readDeclarations(functions.map(({ key }) => key))
    for (const wanted of functions)
      await packageFunction(wanted, { folder: scene.folder, declarations })
    expect(await deploy()).toMatchObject({ code: 0 })
    expect(storedIn(scene.cloud, 'query-scores').alias.version).toBe('1')
  })

  test('of functions that ship, but find a variable that they do not accept, does not', async () => {
    scene = await startCommandScene()
    const [wanted] = desiredService(scene.configuration).functions
    if (!wanted) throw new Error('there is no function')
    const declarations = await readDeclarations([wanted.key])
    await packageFunction(wanted, { folder: scene.folder, declarations })
    // As if the cloud had lost one on the way.
    scene.cloud.onCall(({ action }) => {
      if (action !== 'CreateFunction') return
      for (const stored of scene.cloud.functions()) stored.variables = {}
    })
    const failed = await deploy()
    expect(failed).toMatchObject({ code: 1 })
    expect(failed.output).toContain('login: version 1 runs, but its variables are not acceptable')
  })

  test('that fails its test changes nothing for users of any function, and exits 1', async () => {
    await deployed()
    await scene.writeCode('login', named('first'))
    await deploy()
    const before = ['login', 'submit-score', 'query-scores'].map(versionOf)
    await scene.writeCode('login', named('second'))
    await scene.writeCode('query-scores', 'exports.main_handler = async () => { throw 1 }')
    const failed = await deploy()
    expect(failed.code).toBe(1)
    expect(failed.output).toMatch(
      /Nothing changed for users[\s\S]*query-scores: version 2 fails at GET \/form: user code exception/,
    )
    expect(['login', 'submit-score', 'query-scores'].map(versionOf)).toEqual(before)
    expect(await answerToUsers()).toBe('first')

    // Put right, it takes up where it stopped: the version of login is there already.
    await scene.writeCode('query-scores', answeringCode('query-scores', 'void 2'))
    expect((await deploy()).code).toBe(0)
    expect(scene.cloud.changes()).not.toContain('PublishVersion miniscore-dev-login')
    expect(await answerToUsers()).toBe('second')
  })

  test.each([
    [
      'whose variables it does not accept',
      `return { statusCode: 500, headers: { 'Content-Type': 'application/problem+json' }, body: '{"code":"misconfigured"}' }`,
      /its variables are not acceptable/,
    ],
    [
      'that answers a web page',
      'return { statusCode: 200, body: "<html>" }',
      /GET \/form with HTTP 200/,
    ],
    ['that returns nothing', 'return', /GET \/form with HTTP 0/],
    [
      'that takes any path',
      `if (event.path !== '/form') return { statusCode: 200, headers: {}, body: '{}' }`,
      /GET \/query\/doctor-asks-for-nothing with HTTP 200/,
    ],
    ['that ends its process', 'process.exit(3)', /process exited/],
  ])('a version %s is not given to users', async (_what, code, sentence) => {
    scene = await startCommandScene()
    await scene.writeCode('login', answeringCode('login', code))
    const failed = await deploy()
    expect(failed.code).toBe(1)
    expect(failed.output).toMatch(sentence)
    expect(scene.cloud.functions().flatMap(({ triggers }) => triggers)).toEqual([])
    expect(scene.cloud.changes().join()).not.toContain('UpdateAlias')
  })

  test('of a function of the release before versions freezes what users get before it changes anything', async () => {
    await deployed()
    const login = storedIn(scene.cloud, 'login')
    Object.assign(login, { versions: [], alias: { version: '$LATEST', description: '', calls: 0 } })
    await scene.writeCode('login', named('second'))
    expect((await deploy()).code).toBe(0)
    const changes = scene.cloud.changes().filter((change) => change.endsWith('-login'))
    expect(changes.map((change) => change.split(' ')[0])).toEqual([
      'PublishVersion',
      'UpdateAlias',
      'UpdateFunctionCode',
      'PublishVersion',
      'UpdateAlias',
    ])
    expect(await rollback()).toMatchObject({ code: 0, output: 'login: version 2 → 1' })
  })

  test('--weight gives the new version a part of the calls; a further deploy gives it all', async () => {
    await deployed()
    await scene.writeCode('login', named('second'))
    expect((await deploy({ weight: '50' })).code).toBe(0)
    const four = [
      await answerToUsers(),
      await answerToUsers(),
      await answerToUsers(),
      await answerToUsers(),
    ]
    expect(four.filter((text) => text === 'second')).toHaveLength(2)
    const info = await scene.run(infoCommand, 'info:info')
    expect(info.output).toContain('version 1; 50 % of the calls go to version 2')
    expect(await rollback()).toMatchObject({
      output: 'login: version 2 gets no calls any more, 1 all',
    })
    expect(await answerToUsers()).not.toBe('second')
    expect((await deploy()).code).toBe(0)
    expect([await answerToUsers(), await answerToUsers()]).toEqual(['second', 'second'])
  })

  test.each(['0', '100', 'ten', '0.1'])('--weight %s is refused', async (weight) => {
    scene = await startCommandScene()
    const refused = await deploy({ weight })
    expect(refused.output).toContain('--weight takes the percentage of calls, 1 to 99')
    expect(scene.cloud.calls).toEqual([])
  })
})

describe('rollback', () => {
  test('leads users back to what they got before the last deployment, and another one further', async () => {
    await deployed()
    for (const name of ['second', 'third']) {
      await scene.writeCode('login', named(name))
      laterBySeconds(60)
      expect((await deploy()).code).toBe(0)
    }
    expect(await answerToUsers()).toBe('third')
    const plan = await rollback({ 'dry-run': true })
    expect(plan.output).toContain('login: version 3 → 2')
    expect(scene.cloud.changes()).toEqual([])
    expect(await rollback()).toMatchObject({ code: 0, output: 'login: version 3 → 2' })
    expect(await answerToUsers()).toBe('second')
    // The other two were deployed once, at the beginning.
    expect(scene.cloud.changes()).toEqual(['UpdateAlias miniscore-dev-login'])
    expect(await rollback()).toMatchObject({ code: 0, output: 'login: version 2 → 1' })
    expect((await rollback()).code).toBe(1)
  })

  test('brings back the variables of that time, too', async () => {
    await deployed()
    const { environment = {} } = scene.configuration.functions.login
    environment.SESSION_MAX_DAYS = '30'
    await deploy()
    await rollback()
    const { versions, alias } = storedIn(scene.cloud, 'login')
    const live = versions.find(({ version }) => version === alias.version)
    expect(live?.frozen.variables.SESSION_MAX_DAYS).toBeUndefined()
  })

  test('to a version of one’s choice, if there is such a one that runs', async () => {
    await deployed()
    await scene.writeCode('login', named('second'))
    await deploy()
    const absent = await rollback({ function: 'login', to: '7' })
    expect(absent).toMatchObject({ code: 1 })
    expect(absent.output).toContain('login: there is no version 7; there are: 2, 1')
    expect((await rollback({ to: '1' })).output).toContain('goes with -f NAME')
    expect((await rollback({ timestamp: '1' })).output).toContain('--timestamp is not supported')
    expect((await rollback({ function: 'login', to: '1' })).output).toBe('login: version 2 → 1')
    const [first] = storedIn(scene.cloud, 'login').versions
    if (first) first.status = 'PublishFailed'
    const broken = await rollback({ function: 'login', to: '1' })
    expect(broken.output).toContain('login: version 1 is PublishFailed')
  })

  test('that the cloud refuses in the middle exits 1, and is ended by running it again', async () => {
    await deployed()
    laterBySeconds(60)
    for (const key of ['login', 'submit-score'] as const)
      await scene.writeCode(key, answeringCode(key, 'void 2'))
    await deploy()
    const functionName = 'miniscore-dev-submit-score'
    scene.cloud.failNext('UpdateAlias', {
      functionName,
      code: 'InternalError',
      message: '内部错误',
    })
    const partly = await rollback()
    expect(partly).toMatchObject({ code: 1 })
    expect(partly.output).toMatch(/login: version 2 → 1[\s\S]*running the command again goes on/)
    expect(await rollback()).toMatchObject({ code: 0, output: 'submit-score: version 2 → 1' })
    expect(['login', 'submit-score'].map(versionOf)).toEqual(['1', '1'])
  })

  test('after a single deployment there is nothing to go back to, and it exits 1', async () => {
    await deployed()
    const refused = await rollback()
    expect(refused.code).toBe(1)
    expect(refused.output).toContain('There is nothing to go back to')
    expect(scene.cloud.changes()).toEqual([])
  })

  test('a deploy of the same sources gives the newer version to users again, without an upload', async () => {
    await deployed()
    await scene.writeCode('login', named('second'))
    await deploy()
    await rollback()
    const again = await deploy()
    expect(again.output).toContain('login: test version 2, then give it to users')
    expect(scene.cloud.changes()).toEqual(['UpdateAlias miniscore-dev-login'])
    expect(await answerToUsers()).toBe('second')
  })
})

describe('for programs', () => {
  test('info --json is JSON alone, with versions and the names of variables', async () => {
    await deployed()
    const { code, output } = await scene.run(infoCommand, 'info:info', { json: true })
    expect(code).toBe(0)
    const { functions, stage } = JSON.parse(output)
    expect(stage).toBe('dev')
    expect(functions[0]).toMatchObject({
      key: 'login',
      owner: 'ours',
      version: '1',
      releases: [{ version: '1' }],
      urls: [expect.stringMatching(/^https:/)],
    })
    expect(functions[0].variables).toContain('WECHAT_SECRET')
    expect(output).not.toContain(scene.configuration.functions.login.environment?.WECHAT_SECRET)
  })

  test('info --json of a function that does not run says why, and exits 1', async () => {
    await deployed()
    storedIn(scene.cloud, 'login').status = 'UpdateFailed'
    const { code, output } = await scene.run(infoCommand, 'info:info', { json: true })
    expect(code).toBe(1)
    expect(JSON.parse(output).faults).toEqual([expect.stringMatching(/^login is UpdateFailed/)])
  })

  test('deploy --dry-run --check exits 2 when the cloud differs, and 0 when it does not', async () => {
    await deployed()
    const check = { 'dry-run': true, check: true }
    expect((await deploy(check)).code).toBe(0)
    storedIn(scene.cloud, 'login').memorySize = 512
    const drifted = await deploy(check)
    expect(drifted).toMatchObject({ code: 2 })
    expect(drifted.output).toContain('memory 512 → 128')
    expect((await deploy({ 'dry-run': true })).code).toBe(0)
    expect(scene.cloud.changes()).toEqual([])
    expect((await deploy({ check: true })).output).toContain('--check goes with --dry-run')
  })
})
