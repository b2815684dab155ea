import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { deployCommand } from '../../../scripts/tencent/commands/deploy.ts'
import { removeCommand } from '../../../scripts/tencent/commands/remove.ts'
import { rollbackCommand } from '../../../scripts/tencent/commands/rollback.ts'
import type { CliOptions } from '../../../scripts/tencent/framework.ts'
import {
  answeringCode,
  type CommandScene,
  type Outcome,
  type SceneOptions,
  startCommandScene,
  storedIn,
} from '../../support/command-scene.ts'
import type { Status } from '../../support/tencent-cloud/stored-function.ts'

let scene: CommandScene
afterEach(() => scene.close())

async function deployed(options: SceneOptions = {}): Promise<void> {
  scene = await startCommandScene(options)
  expect(await deploy()).toMatchObject({ code: 0 })
}
function deploy(options: CliOptions = {}): Promise<Outcome> {
  return scene.run(deployCommand, 'deploy:deploy', options)
}
function remove(): Promise<Outcome> {
  return scene.run(removeCommand, 'remove:remove', { yes: true })
}

describe('a failed status', () => {
  test('of an update is put right by the next deploy, which does not take its digest’s word', async () => {
    await deployed()
    await scene.writeCode('login', answeringCode('login', 'void 2'))
    scene.cloud.failNextPhase('miniscore-dev-login', 'no address left', 'Updating')
    expect(await deploy()).toMatchObject({ code: 1 })
    const login = storedIn(scene.cloud, 'login')
    // The cloud keeps the new package, and runs the old one.
    expect(login.running.equals(login.zip)).toBe(false)
    const next = await deploy()
    expect(next).toMatchObject({ code: 0 })
    expect(next.output).toContain('login: put UpdateFailed right; upload the code')
    expect(login.status).toBe('Active')
    expect(login.versions.at(-1)?.frozen.running.equals(login.zip)).toBe(true)
    expect((await deploy()).output).toContain('Nothing had to be changed.')
  })

  test('of an update whose values were taken back since is no “nothing to change” either', async () => {
    await deployed()
    storedIn(scene.cloud, 'login').status = 'UpdateFailed'
    const look = await deploy({ 'dry-run': true, check: true })
    expect(look).toMatchObject({ code: 2 })
    expect((await deploy()).output).not.toContain('Nothing had to be changed.')
    expect(storedIn(scene.cloud, 'login').status).toBe('Active')
  })

  test('of a publication leaves users where they are, and the next deploy publishes anew', async () => {
    await deployed()
    await scene.writeCode('login', answeringCode('login', 'void 2'))
    scene.cloud.failNextPhase('miniscore-dev-login', 'internal', 'Publishing')
    const failed = await deploy()
    expect(failed).toMatchObject({ code: 1 })
    expect(failed.output).toMatch(/login: .*\(PublishFailed\): .*internal/)
    expect(storedIn(scene.cloud, 'login').alias.version).toBe('1')
    expect(await deploy()).toMatchObject({ code: 0 })
    expect(storedIn(scene.cloud, 'login').alias.version).toBe('3')
  })

  test('of a publication whose sources were taken back since does not stay', async () => {
    await deployed()
    storedIn(scene.cloud, 'login').status = 'PublishFailed'
    expect((await deploy()).output).toContain('login: put PublishFailed right')
    expect(storedIn(scene.cloud, 'login').status).toBe('Active')
    expect((await deploy()).output).toContain('Nothing had to be changed.')
  })

  test('of a removal is told at once, and a second removal ends it', async () => {
    await deployed()
    scene.cloud.failNextPhase('miniscore-dev-login', 'still in use', 'Deleting')
    await remove()
    const refused = await deploy()
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.output).toContain('the removal of miniscore-dev-login failed')
    expect(refused.output).toContain('still in use')
    expect(await remove()).toMatchObject({ code: 0 })
    expect(scene.cloud.functions()).toEqual([])
  })

  test.each<[Status, RegExp]>([
    ['Creating', /still Creating after 0 seconds\. A creation that hangs does not end by itself/],
    ['Updating', /still Updating after 0 seconds/],
    ['Publishing', /still Publishing/],
  ])('%s that does not end is told with exit code 1', async (status, sentence) => {
    await deployed()
    scene.patience.totalMs = 50
    Object.assign(storedIn(scene.cloud, 'login'), { status, pollsLeft: 1e9 })
    const stuck = await deploy()
    expect(stuck).toMatchObject({ code: 1 })
    expect(stuck.output).toMatch(sentence)
    expect(scene.cloud.changes()).toEqual([])
  })
})

describe('a function of the same name that is not ours', () => {
  async function withStranger(changed: { tags?: Record<string, string>; description?: string }) {
    await deployed()
    Object.assign(storedIn(scene.cloud, 'login'), { tags: {}, memorySize: 1024, ...changed })
  }

  test('is neither changed, removed nor rolled back', async () => {
    await withStranger({})
    for (const outcome of [
      await deploy(),
      await remove(),
      await scene.run(rollbackCommand, 'rollback:rollback'),
    ]) {
      expect(outcome).toMatchObject({ code: 1 })
      expect(outcome.output).toContain('carries no tag serverless-stage')
      expect(scene.cloud.changes()).toEqual([])
    }
    expect(scene.cloud.functions()).toHaveLength(3)
  })

  test('is told by --dry-run, which exits 1 as the deploy would', async () => {
    await withStranger({})
    const look = await deploy({ 'dry-run': true })
    expect(look).toMatchObject({ code: 1 })
    expect(look.output).toContain('login (of somebody else: no tag serverless-stage): left alone')
    expect(look.output).toContain('query-scores (ours): no change')
  })

  test('is taken over with --adopt, and ours from then on', async () => {
    await withStranger({})
    const adopted = await deploy({ adopt: true })
    expect(adopted).toMatchObject({ code: 0 })
    expect(adopted.output).toContain('login: mark it as ours by a tag; memory 1024 → 128')
    expect(storedIn(scene.cloud, 'login').tags).toEqual({ 'serverless-stage': 'miniscore/dev' })
    expect((await deploy()).output).toContain('Nothing had to be changed.')
  })

  test('but of another stage is refused even with --adopt', async () => {
    await withStranger({ tags: { 'serverless-stage': 'miniscore/prod' } })
    const refused = await deploy({ adopt: true })
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.output).toContain('miniscore-dev-login belongs to miniscore/prod')
    expect(scene.cloud.changes()).toEqual([])
  })

  test('but of the release that left a mark in the description is moved over', async () => {
    const digest = 'a'.repeat(64)
    await withStranger({ description: `Code ${digest} is kept as ${digest}.`, tags: {} })
    const moved = await deploy()
    expect(moved).toMatchObject({ code: 0 })
    const { tags, description } = storedIn(scene.cloud, 'login')
    expect({ tags, description }).toEqual({
      tags: { 'serverless-stage': 'miniscore/dev' },
      description: '',
    })
  })
})

describe('a package', () => {
  const folderOf = () => (name: string) => path.join(scene.folder, name)

  test('for another database is refused before the cloud is called', async () => {
    scene = await startCommandScene()
    Object.assign(scene.configuration.provider.environment ?? {}, {
      DATABASE_URL: 'mysql://user:password@db.example.com:3306/miniscore',
    })
    const refused = await deploy()
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.output).toContain(
      'login, submit-score, query-scores: DATABASE_URL leads to mysql, and its package was made for planetscale',
    )
    expect(scene.cloud.calls).toEqual([])
  })

  test('that needs a variable the stage has not is refused by its name', async () => {
    scene = await startCommandScene()
    const file = folderOf()('login.json')
    const record = JSON.parse(await readFile(file, 'utf8'))
    expect(record.needs).toContain('WECHAT_SECRET')
    await writeFile(file, JSON.stringify({ ...record, needs: [...record.needs, 'NEWER'] }))
    const refused = await deploy()
    expect(refused.output).toContain('login: NEWER has no value, and its package answers nothing')
    expect(scene.cloud.calls).toEqual([])
  })

  test('without a record, or with that of another, is refused', async () => {
    scene = await startCommandScene()
    const at = folderOf()
    await rm(at('login.json'))
    await writeFile(at('query-scores.json'), await readFile(at('submit-score.json')))
    const refused = await deploy()
    expect(refused.output).toContain('login: its package does not say what it was made for')
    expect(refused.output).toContain('query-scores: its package is another one than')
  })
})

describe('what the cloud shows late, or not', () => {
  test('a URL that is not listed at once is waited for', async () => {
    scene = await startCommandScene({ urlHiddenLists: 3 })
    const outcome = await deploy()
    expect(outcome).toMatchObject({ code: 0 })
    expect(outcome.output).toContain('login: waiting, its URL is not listed yet')
    expect(outcome.output.match(/https:\/\/\S+tencentscf\.com/g)).toHaveLength(3)
  })

  test('a URL that never comes is told, with exit code 1', async () => {
    scene = await startCommandScene({ urlHiddenLists: 1e9, patienceMs: 1000 })
    const outcome = await deploy()
    expect(outcome).toMatchObject({ code: 1 })
    expect(outcome.output).toContain('the cloud does not list it after 1 seconds')
  })

  test('a list of triggers that fails is no list of none', async () => {
    await deployed()
    for (let time = 0; time < 3; time++)
      scene.cloud.failNext('ListTriggers', { code: 'InternalError', message: '内部错误' })
    const refused = await deploy({ function: 'login' })
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.output).toContain('login: ListTriggers failed with InternalError')
    expect(scene.cloud.changes()).toEqual([])
  })

  test('a domain waits for its DNS record, which is named', async () => {
    scene = await startCommandScene()
    scene.configuration.provider.customDomain = { domain: 'api.example.com', certificateId: 'c-1' }
    scene.cloud.setCname('api.example.com', 3)
    const look = await deploy({ 'dry-run': true })
    expect(look.output).toContain('api.example.com CNAME <appid>.ap-guangzhou.tencentscf.com')
    const outcome = await deploy()
    expect(outcome).toMatchObject({ code: 0 })
    expect(outcome.output).toContain(
      'waiting for a DNS record: api.example.com CNAME 1300000000.ap-guangzhou.tencentscf.com',
    )
    expect(scene.cloud.domains()).toHaveLength(1)
  })

  test('without that record it ends with exit code 1; the functions are deployed', async () => {
    scene = await startCommandScene({ patienceMs: 1500 })
    scene.configuration.provider.customDomain = { domain: 'api.example.com', certificateId: 'c-1' }
    const outcome = await deploy()
    expect(outcome).toMatchObject({ code: 1 })
    expect(outcome.output).toContain('Make this DNS record, and run the command again')
    expect(scene.cloud.functions().flatMap(({ triggers }) => triggers)).toHaveLength(3)
  })

  test.each<[string, SceneOptions, RegExp]>([
    ['that is not activated', { hasLogService: false }, /activate CLS once/],
    ['without the topic', { topics: ['topic-default'] }, /the log topic topic-1 does not exist/],
  ])('a log service %s is told before anything is created', async (_what, options, sentence) => {
    scene = await startCommandScene(options)
    scene.configuration.provider.cls = { logsetId: 'set-1', topicId: 'topic-1' }
    const refused = await deploy()
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.output).toMatch(sentence)
    expect(scene.cloud.changes()).toEqual([])
  })
})

describe('migrations', () => {
  test('that are pending are refused by name before anything is changed', async () => {
    scene = await startCommandScene()
    scene.tables.pending.push('0009_new_table.sql')
    const refused = await deploy()
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.output).toContain('Migrations are not applied yet: 0009_new_table.sql')
    expect(refused.output).toContain('npm run migrate -- --stage dev')
    expect(scene.cloud.changes()).toEqual([])
    const look = await deploy({ 'dry-run': true, check: true })
    expect(look).toMatchObject({ code: 2 })
    expect(look.output).toContain('migrations to apply first: 0009_new_table.sql')
  })

  test('are applied first with --migrate, and left to others with --skip-migrations', async () => {
    scene = await startCommandScene()
    scene.tables.pending.push('0009_new_table.sql')
    expect(await deploy({ 'skip-migrations': true })).toMatchObject({ code: 0 })
    expect(scene.tables.pending).toHaveLength(1)
    const outcome = await deploy({ migrate: true })
    expect(outcome).toMatchObject({ code: 0 })
    expect(outcome.output).toContain('migrations applied: 0009_new_table.sql')
    expect((await deploy({ migrate: true, 'skip-migrations': true })).output).toContain('not both')
  })
})

describe('a key', () => {
  const policy = async (): Promise<string[]> => {
    const file = new URL('../../../scripts/tencent/cam-policy.json', import.meta.url)
    const { statement } = JSON.parse(await readFile(file, 'utf8'))
    return statement.flatMap(({ action }: { action: string[] }) => action)
  }

  test('with the rights of cam-policy.json deploys, rolls back, adopts and removes', async () => {
    scene = await startCommandScene({ rights: await policy() })
    const { login } = scene.configuration.functions
    login.events.push({
      timer: { name: 'nightly', parameters: { cronExpression: '0 0 3 * * * *' } },
    })
    scene.configuration.provider.customDomain = { domain: 'api.example.com', certificateId: 'c-1' }
    scene.cloud.setCname('api.example.com')
    expect(await deploy()).toMatchObject({ code: 0 })
    storedIn(scene.cloud, 'login').tags = {}
    login.events.pop()
    login.memorySize = 256
    await scene.writeCode('login', answeringCode('login', 'void 2'))
    expect(await deploy({ adopt: true })).toMatchObject({ code: 0 })
    expect(await scene.run(rollbackCommand, 'rollback:rollback')).toMatchObject({ code: 0 })
    expect(await remove()).toMatchObject({ code: 0 })
  })

  test('without one of them is told which right is missing', async () => {
    scene = await startCommandScene({ rights: ['scf:GetFunction'] })
    const refused = await deploy()
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.output).toMatch(/scf:CreateFunction|scf:ListTriggers/)
    expect(refused.output).toContain('scripts/tencent/cam-policy.json')
  })

  test('without the right to digests deploys by what it noted, and says so', async () => {
    const rights = (await policy()).filter((action) => action !== 'scf:GetFunctionAddress')
    await deployed({ rights })
    const again = await deploy()
    expect(again.output).toContain('Nothing had to be changed.')
    expect(again.output).toContain('no right to scf:GetFunctionAddress')
    await scene.writeCode('login', answeringCode('login', 'void 2'))
    expect((await deploy()).output).toContain('login: upload the code')
    expect((await deploy()).output).toContain('Nothing had to be changed.')
  })
})

test('a Function URL is made to give the whole event, on purpose', async () => {
  await deployed()
  const [url] = storedIn(scene.cloud, 'login').triggers
  expect(JSON.parse(url?.description ?? '{}')).toMatchObject({
    AuthType: 'NONE',
    ApiGwCompatible: true,
  })
})
