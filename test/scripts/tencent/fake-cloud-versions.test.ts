import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CloudClient } from '../../../scripts/tencent/cloud/client.ts'
import { cloudAndClient, codeOf, creation, zipOf } from '../../support/tencent-cloud/client.ts'
import type { TencentCloud } from '../../support/tencent-cloud/server.ts'

describe('versions and the alias', () => {
  let cloud: TencentCloud
  let client: CloudClient
  const of = { FunctionName: 'login' }
  beforeAll(async () => {
    ;({ cloud, client } = await cloudAndClient())
    const first = await creation('login', 'exports.main_handler = () => 1')
    await client.call('CreateFunction', { ...first, Timeout: 20 })
    await client.call('GetFunction', of)
  })
  afterAll(() => cloud.close())

  const answerOf = async (Qualifier: string) =>
    (await client.call('Invoke', { ...of, Qualifier })).Result?.RetMsg

  test('a version stays what it was when the newest state changes, and the alias leads to either', async () => {
    await client.call('PublishVersion', of)
    expect(await codeOf(client.call('Invoke', { ...of, Qualifier: '1' }))).toBe(
      'FailedOperation.FunctionStatusError',
    )
    await client.call('GetFunction', of)
    const ZipFile = (await zipOf('exports.main_handler = () => 2')).toString('base64')
    await client.call('UpdateFunctionCode', { ...of, ZipFile, Handler: 'index.main_handler' })
    await client.call('GetFunction', of)
    expect([await answerOf('1'), await answerOf('$LATEST'), await answerOf('$DEFAULT')]).toEqual([
      '1',
      '2',
      '2',
    ])
    await client.call('UpdateAlias', { ...of, Name: '$DEFAULT', FunctionVersion: '1' })
    expect(await answerOf('$DEFAULT')).toBe('1')
  })

  test.each<
    [
      string,
      { FunctionVersion: string; Name?: string; Description?: string; weight?: number },
      string,
    ]
  >([
    ['a version that is not there', { FunctionVersion: '9' }, 'ResourceNotFound.FunctionVersion'],
    ['another alias', { FunctionVersion: '1', Name: 'prod' }, 'ResourceNotFound.Alias'],
    [
      'a description with a slash',
      { FunctionVersion: '1', Description: 'a/b' },
      'InvalidParameterValue.Description',
    ],
    [
      'a weight of two',
      { FunctionVersion: '$LATEST', weight: 2 },
      'InvalidParameterValue.RoutingConfig',
    ],
  ])('%s is refused', async (_what, { weight, ...changed }, code) => {
    const RoutingConfig = weight
      ? { AdditionalVersionWeights: [{ Version: '1', Weight: weight }] }
      : {}
    const alias = { ...of, Name: '$DEFAULT', RoutingConfig, ...changed }
    expect(await codeOf(client.call('UpdateAlias', alias))).toBe(code)
  })

  test('a failed update leaves the new package with the old code running', async () => {
    cloud.failNextPhase('login', 'internal')
    const ZipFile = (await zipOf('exports.main_handler = () => 3')).toString('base64')
    await client.call('UpdateFunctionCode', { ...of, ZipFile, Handler: 'index.main_handler' })
    expect((await client.call('GetFunction', of)).Status).toBe('UpdateFailed')
    expect(await answerOf('$LATEST')).toBe('2')
    const { CodeSha256 } = await client.call('GetFunctionAddress', of)
    const sent = createHash('sha256').update(Buffer.from(ZipFile, 'base64')).digest('hex')
    expect(CodeSha256).toBe(sent)
  })

  test('a network without a word about the outside loses it', async () => {
    const VpcConfig = { VpcId: 'vpc-1', SubnetId: 'subnet-1' }
    await client.call('UpdateFunctionConfiguration', { ...of, VpcConfig })
    const { PublicNetConfig } = await client.call('GetFunction', of)
    expect(PublicNetConfig?.PublicNetStatus).toBe('DISABLE')
  })
})
