import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deployCommand } from '../../../scripts/tencent/commands/deploy.ts'
import {
  answeringCode,
  type CommandScene,
  type Outcome,
  startCommandScene,
  storedIn,
} from '../../support/command-scene.ts'

let scene: CommandScene
function deploy(): Promise<Outcome> {
  return scene.run(deployCommand, 'deploy:deploy')
}
beforeAll(async () => {
  scene = await startCommandScene()
  expect((await deploy()).code).toBe(0)
})
afterAll(async () => {
  await scene.close()
})

describe('what differs is changed, and nothing else', () => {
  test('timers follow serverless.yml; those made by hand are left alone', async () => {
    const { events } = scene.configuration.functions['query-scores']
    const timers = (): string[] =>
      storedIn(scene.cloud, 'query-scores')
        .triggers.filter(({ type }) => type === 'timer')
        .map(
          ({ name, description, enabled }) => `${name} ${JSON.parse(description).cron} ${enabled}`,
        )
        .sort()
    storedIn(scene.cloud, 'query-scores').triggers.push({
      name: 'by-hand',
      type: 'timer',
      description: '{"cron":"0 0 1 * * * *"}',
      qualifier: '$DEFAULT',
      enabled: true,
      customArgument: '',
      comment: '',
      addedAt: '',
    })
    const byHand = 'by-hand 0 0 1 * * * * true'
    const timer = { name: 'nightly', parameters: { cronExpression: '0 0 3 * * * *', enable: true } }
    events.push({ timer })
    expect((await deploy()).code).toBe(0)
    expect(timers()).toEqual([byHand, 'nightly 0 0 3 * * * * true'])
    expect((await deploy()).output).toContain('Nothing had to be changed.')

    timer.parameters = { cronExpression: '0 30 3 * * * *', enable: false }
    expect((await deploy()).code).toBe(0)
    expect(timers()).toEqual([byHand, 'nightly 0 30 3 * * * * false'])
    events.pop()
    expect((await deploy()).code).toBe(0)
    expect(timers()).toEqual([byHand])
  })

  test('a network, a role and a log topic can be given and taken away', async () => {
    const { login } = scene.configuration.functions
    login.vpcConfig = { vpcId: 'vpc-1', subnetId: 'subnet-1' }
    login.role = 'SCF_Role'
    login.cls = { logsetId: 'set-1', topicId: 'topic-1' }
    const given = await deploy()
    expect(given.output).toContain('vpc none → vpc-1; subnet none → subnet-1; role none → SCF_Role')
    expect(scene.cloud.changes()).toEqual([
      'UpdateFunctionConfiguration miniscore-dev-login',
      'PublishVersion miniscore-dev-login',
      'UpdateAlias miniscore-dev-login',
    ])
    // WeChat's API is outside.
    expect(storedIn(scene.cloud, 'login').hasOutsideAccess).toBe(true)
    expect((await deploy()).output).toContain('Nothing had to be changed.')
    delete login.vpcConfig
    delete login.role
    expect((await deploy()).code).toBe(0)
    const { vpc, role, topic, hasOutsideAccess } = storedIn(scene.cloud, 'login')
    expect({ vpc, role, topic, hasOutsideAccess }).toEqual({
      hasOutsideAccess: true,
      vpc: { VpcId: '', SubnetId: '' },
      role: '',
      topic: 'topic-1',
    })
  })

  test('a variable that is no longer declared is taken away', async () => {
    const { environment } = scene.configuration.functions['submit-score']
    if (environment) environment.EXTRA = 'extra'
    await deploy()
    expect(storedIn(scene.cloud, 'submit-score').variables.EXTRA).toBe('extra')
    if (environment) delete environment.EXTRA
    expect((await deploy()).output).toContain('submit-score: variable EXTRA removed')
    expect(storedIn(scene.cloud, 'submit-score').variables.EXTRA).toBeUndefined()
  })

  test.each([
    ['runtime', { runtime: 'Nodejs18.15' }],
    ['type', { type: 'web' as const }],
  ])('a %s other than the one at creation is explained, not tried', async (what, changed) => {
    const { login } = scene.configuration.functions
    Object.assign(login, changed)
    const refused = await deploy()
    delete login.runtime
    delete login.type
    expect(refused.code).toBe(1)
    expect(refused.output).toContain(
      `login: the cloud fixes a function's ${what} when it is created`,
    )
    expect(scene.cloud.changes()).toEqual([])
  })

  test('a Web function is created as one, without a handler', async () => {
    const web = await startCommandScene()
    try {
      web.configuration.functions.login.type = 'web'
      await web.writeCode('login', 'exports.main_handler = 1', '#!/bin/bash\n')
      const created = await web.run(deployCommand, 'deploy:deploy')
      expect(created.code).toBe(0)
      const { type, handler } = storedIn(web.cloud, 'login')
      expect({ type, handler }).toEqual({ type: 'HTTP', handler: '' })
      const again = await web.run(deployCommand, 'deploy:deploy')
      expect(again.output).toContain('Nothing had to be changed.')
    } finally {
      await web.close()
    }
  })

  test('a URL that serverless.yml no longer declares is kept and told', async () => {
    const { login } = scene.configuration.functions
    const events = login.events.splice(0)
    const kept = await deploy()
    login.events.push(...events)
    expect(kept.output).toMatch(
      /note: it has the URL https:\S+, which serverless\.yml does not declare/,
    )
    expect(scene.cloud.changes()).toEqual([])
  })
})

describe('when the cloud says no', () => {
  test('a refused URL leaves the function, and the next deploy makes only the URL', async () => {
    const stored = storedIn(scene.cloud, 'login')
    stored.triggers.splice(0)
    scene.cloud.failNext('CreateTrigger', { code: 'InternalError', message: '内部错误' })
    const refused = await deploy()
    expect(refused.code).toBe(1)
    expect(refused.output).toContain('login: CreateTrigger failed with InternalError: 内部错误')
    expect((await deploy()).code).toBe(0)
    expect(scene.cloud.changes()).toEqual(['CreateTrigger miniscore-dev-login'])
  })

  test('a read that fails once is repeated', async () => {
    scene.cloud.failNext('GetFunction', { code: 'InternalError', message: '内部错误' })
    expect((await deploy()).code).toBe(0)
  })

  test('a change that fails is not repeated by itself, since it may have happened', async () => {
    scene.configuration.provider.memorySize = 256
    scene.cloud.failNext('UpdateFunctionConfiguration', {
      functionName: 'miniscore-dev-login',
      code: 'InternalError',
      message: '内部错误',
    })
    expect((await deploy()).code).toBe(1)
    const tries = scene.cloud.calls.filter(
      ({ action, functionName }) =>
        action === 'UpdateFunctionConfiguration' && functionName === 'miniscore-dev-login',
    )
    expect(tries).toHaveLength(1)
    expect((await deploy()).code).toBe(0)
    const updates = scene.cloud.changes().filter((change) => change.startsWith('UpdateFunction'))
    expect(updates).toEqual(['UpdateFunctionConfiguration miniscore-dev-login'])
  })

  test('a change refused for too many calls at once is repeated', async () => {
    scene.configuration.provider.memorySize = 128
    scene.cloud.failNext('UpdateFunctionConfiguration', {
      code: 'RequestLimitExceeded',
      message: '请求的次数超过了频率限制',
    })
    expect((await deploy()).code).toBe(0)
  })

  test('a change that the cloud begins and cannot finish is told with its reason', async () => {
    scene.configuration.provider.timeout = 20
    scene.cloud.failNextPhase('miniscore-dev-login', 'no subnet address left')
    const failed = await deploy()
    expect(failed.code).toBe(1)
    expect(failed.output).toMatch(/login: .*UpdateFailed.*no subnet address left/)
  })

  test('what is left of a failed creation is created anew', async () => {
    const { login } = scene.configuration.functions
    login.name = 'miniscore-next-login'
    scene.cloud.failNextPhase(login.name, 'internal')
    const failed = await deploy()
    expect(failed.code).toBe(1)
    expect(failed.output).toMatch(/login: .*CreateFailed.*internal/)
    expect((await deploy()).code).toBe(0)
    const changes = scene.cloud.changes().filter((change) => change.endsWith('-next-login'))
    expect(changes).toEqual([
      'DeleteFunction miniscore-next-login',
      'CreateFunction miniscore-next-login',
      'PublishVersion miniscore-next-login',
      'UpdateAlias miniscore-next-login',
      'CreateTrigger miniscore-next-login',
    ])
    login.name = 'miniscore-dev-login'
  })
})

test('on a cloud that packs code anew, equal code is known as equal and a change by hand as a change', async () => {
  const other = await startCommandScene({ repackages: true })
  const deployThere = (): Promise<Outcome> => other.run(deployCommand, 'deploy:deploy')
  try {
    expect((await deployThere()).code).toBe(0)
    expect((await deployThere()).output).toContain('Nothing had to be changed.')
    storedIn(other.cloud, 'login').zip = storedIn(other.cloud, 'query-scores').zip
    expect((await deployThere()).output).toContain('login: upload the code')
    await other.writeCode('login', answeringCode('login', 'console.log(2)'))
    expect((await deployThere()).output).toContain('login: upload the code')
    expect((await deployThere()).output).toContain('Nothing had to be changed.')
  } finally {
    await other.close()
  }
})

describe('a custom domain', () => {
  const routes = (): string[] =>
    scene.cloud
      .domains()
      .flatMap(({ EndpointsConfig }) => EndpointsConfig)
      .map(({ PathMatch, FunctionName }) => `${PathMatch} ${FunctionName}`)

  test('is updated when a path differs, and left alone when none does', async () => {
    const { provider, functions } = scene.configuration
    scene.cloud.setCname('api.example.com')
    provider.customDomain = { domain: 'api.example.com', certificateId: 'certificate-1' }
    expect((await deploy()).code).toBe(0)
    expect((await deploy()).output).toContain('api.example.com: no change')
    functions['query-scores'].events = [{ http: { paths: ['/query', '/query/*'] } }]
    const changed = await deploy()
    expect(changed.output).toContain('api.example.com: remove /form → miniscore-dev-query-scores')
    expect(scene.cloud.changes()).toEqual(['UpdateCustomDomain'])
    expect(routes().join()).not.toContain('/form')
  })

  test('keeps routes of other functions, and names one that is in the way', async () => {
    const others = { ...storedIn(scene.cloud, 'login'), name: 'others', triggers: [] }
    scene.cloud.addFunction(others)
    const [domain] = scene.cloud.domains()
    const route = { Namespace: 'default', FunctionName: 'others', Qualifier: '$DEFAULT' }
    domain?.EndpointsConfig.push({ ...route, PathMatch: '/form' })
    scene.configuration.functions.login.events = [{ http: { paths: ['/login'] } }]
    expect((await deploy()).code).toBe(0)
    expect(routes()).toContain('/form others')
    scene.configuration.functions.login.events = [{ http: { paths: ['/login', '/form'] } }]
    const refused = await deploy()
    expect(refused.code).toBe(1)
    expect(refused.output).toContain('api.example.com/form already leads to the function others')
  })
})
