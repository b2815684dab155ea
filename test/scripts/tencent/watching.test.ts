/** Log retention and alarms, set by a deploy. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deployCommand } from '../../../scripts/tencent/commands/deploy.ts'
import { removeCommand } from '../../../scripts/tencent/commands/remove.ts'
import type { CliOptions } from '../../../scripts/tencent/framework.ts'
import { alarmTexts } from '../../../scripts/tencent/watching.ts'
import { type CommandScene, startCommandScene, storedIn } from '../../support/command-scene.ts'
import { clientFor } from '../../support/tencent-cloud/client.ts'

let scene: CommandScene
beforeAll(async () => {
  scene = await startCommandScene({ phasePolls: 0 })
  Object.assign(scene.configuration.provider, {
    cls: { logsetId: 'logset-1', topicId: 'topic-1' },
  })
  expect((await deploy()).code).toBe(0)
})
afterAll(() => scene.close())

function deploy(options: CliOptions = {}) {
  return scene.run(deployCommand, 'deploy:deploy', options)
}
function watch(watching: { logRetentionDays?: string; alarmNoticeId?: string }): void {
  scene.configuration.provider.watching = watching
}
const names = () => scene.cloud.alarms().map(({ Name }) => Name)
const ours = alarmTexts.map(({ name }) => `miniscore-dev-${name}`)

/** Calls the deployed function, which prints the line. */
async function say(line: string, key = 'login'): Promise<void> {
  const cloud = await clientFor(scene.cloud.endpoint, { token: '' })
  await cloud.call('Invoke', {
    FunctionName: storedIn(scene.cloud, key).name,
    Namespace: 'default',
    ClientContext: JSON.stringify({ say: line }),
  })
}

describe('a deploy', () => {
  test('sets nothing unless it is asked to', async () => {
    expect(names()).toEqual([])
    expect((await deploy({ 'dry-run': true })).output).not.toContain('log topic')
  })

  test('shows in a dry run what it would set', async () => {
    watch({ logRetentionDays: '90', alarmNoticeId: 'notice-1' })
    const { code, output } = await deploy({ 'dry-run': true, check: true })
    expect(code).toBe(2)
    expect(output).toMatch(
      /log topic topic-1: keep log lines 7 → 90 days; create the alarm miniscore-dev-error; /,
    )
    expect(scene.cloud.changes()).toEqual([])
  })

  test('sets retention and alarms once', async () => {
    const { code, output } = await deploy()
    expect(code).toBe(0)
    expect(output).toContain('create the alarm miniscore-dev-store-unavailable')
    expect(names()).toEqual(ours)
    expect(scene.cloud.changes()).toEqual(['ModifyTopic', ...ours.map(() => 'CreateAlarm')])
    expect((await deploy()).output).toContain('Nothing had to be changed.')
    expect(scene.cloud.changes()).toEqual([])
  })

  test('whose alarms go off at their lines, and at no others', async () => {
    await say('{"level":"info","code":"ok"}')
    expect(scene.cloud.firingAlarms()).toEqual([])
    await say('{"level":"error","code":"store-unavailable"}')
    expect(scene.cloud.firingAlarms()).toEqual([
      'miniscore-dev-error',
      'miniscore-dev-store-unavailable',
    ])
    for (let call = 0; call < 10; call++) await say('{"event":"number-taken-over"}')
    expect(scene.cloud.firingAlarms()).not.toContain('miniscore-dev-number-taken-over')
    await say('{"event":"number-taken-over"}')
    expect(scene.cloud.firingAlarms()).toContain('miniscore-dev-number-taken-over')
  })

  test('puts back what was changed by hand, and takes another notice group', async () => {
    const [first] = scene.cloud.alarms()
    if (first) first.Condition = '[$1.__QUERYCOUNT__]> 99'
    const { output } = await deploy()
    expect(output).toContain('log topic topic-1: update the alarm miniscore-dev-error')
    expect(scene.cloud.changes()).toEqual(['ModifyAlarm'])
    watch({ logRetentionDays: '90', alarmNoticeId: 'notice-2' })
    await deploy()
    expect(scene.cloud.alarms().map(({ AlarmNoticeIds }) => AlarmNoticeIds)).toEqual(
      ours.map(() => ['notice-2']),
    )
  })

  test('that is cut off goes on the next time', async () => {
    watch({})
    await deploy()
    expect(names()).toEqual([])
    watch({ alarmNoticeId: 'notice-1' })
    scene.cloud.failNext('CreateAlarm', { nth: 3, code: 'InternalError', message: 'later' })
    const { code, output } = await deploy()
    expect(code).toBe(1)
    expect(output).toContain('CreateAlarm failed with InternalError')
    expect(names()).toEqual(ours.slice(0, 2))
    expect((await deploy()).code).toBe(0)
    expect(names()).toEqual(ours)
  })

  test('takes its alarms away when they are not asked for any more, and leaves others alone', async () => {
    const [first] = scene.cloud.alarms()
    const cloud = await clientFor(scene.cloud.endpoint, { token: '' })
    const { AlarmId: _, ...given } = { ...first, Name: 'miniscore-dev-blue-error' }
    await cloud.callOther('cls', 'CreateAlarm', given)
    watch({ logRetentionDays: '90' })
    expect((await deploy()).output).toContain('delete the alarm miniscore-dev-error')
    expect(names()).toEqual(['miniscore-dev-blue-error'])
    watch({ alarmNoticeId: 'notice-1' })
    await deploy()
    expect((await scene.run(removeCommand, 'remove:remove', { yes: true })).code).toBe(0)
    expect(names()).toEqual(['miniscore-dev-blue-error'])
  })

  test('is refused a notice group that does not exist, in the cloud’s words', async () => {
    watch({ alarmNoticeId: 'nobody' })
    const { code, output } = await deploy()
    expect(code).toBe(1)
    expect(output).toContain('ResourceNotFound.AlarmNoticeNotExist')
  })
})

describe('a key without the rights for alarms', () => {
  test('is no hindrance to who asks for none, and named to who does', async () => {
    const rights = ['scf', 'cls', 'tag'].flatMap((service) =>
      [
        'GetFunction GetFunctionAddress CreateFunction CreateTrigger ListTriggers PublishVersion ListVersionByFunction',
        'GetAlias UpdateAlias Invoke DescribeTopics',
      ].flatMap((names) => names.split(' ').map((name) => `${service}:${name}`)),
    )
    const poor = await startCommandScene({ phasePolls: 0, rights })
    Object.assign(poor.configuration.provider, {
      cls: { logsetId: 'logset-1', topicId: 'topic-1' },
    })
    expect(await poor.run(deployCommand, 'deploy:deploy')).toMatchObject({ code: 0 })
    poor.configuration.provider.watching = { alarmNoticeId: 'notice-1' }
    const { code, output } = await poor.run(deployCommand, 'deploy:deploy')
    expect(code).toBe(1)
    expect(output).toContain('cls:DescribeAlarms')
    await poor.close()
  })
})
