import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { preflight } from '../../../scripts/tencent/preflight.ts'
import type { DesiredFunction, DesiredService } from '../../../scripts/tencent/service.ts'
import { soundVariables } from '../../support/serverless-project.ts'

function wanted(changed: Partial<DesiredFunction> = {}): DesiredFunction {
  const variables = changed.variables ?? soundVariables()
  return {
    key: 'login',
    name: 'miniscore-dev-login',
    type: 'event',
    runtime: 'Nodejs20.19',
    handler: 'index.main_handler',
    description: '',
    memorySize: 128,
    timeoutSeconds: 10,
    declared: Object.keys(variables),
    vpcId: '',
    subnetId: '',
    role: '',
    logsetId: '',
    topicId: '',
    url: true,
    paths: [],
    timers: [],
    ...changed,
    variables,
  }
}

function faultsOf(
  one: DesiredFunction,
  service: Partial<DesiredService> = {},
  zip: Buffer = Buffer.alloc(9),
) {
  return preflight(
    {
      service: 'miniscore',
      stage: 'dev',
      region: 'ap-guangzhou',
      namespace: 'default',
      functions: [one],
      ...service,
    },
    [one],
    [{ key: one.key, file: 'login.zip', zip, sha256: '' }],
  )?.message
}

function withVariable(name: string, value: string | undefined): DesiredFunction {
  const { [name]: _left, ...rest } = soundVariables()
  const declared = [...Object.keys(rest), name]
  return wanted({ variables: value === undefined ? rest : { ...rest, [name]: value }, declared })
}

describe('before anything is sent', () => {
  test('a sound configuration passes', () => {
    expect(faultsOf(wanted())).toBeUndefined()
  })

  test.each<[string, Partial<DesiredFunction>, RegExp]>([
    ['a name of 61 characters', { name: 'a'.repeat(61) }, /it has 61/],
    ['a name that begins with a digit', { name: '1a' }, /the name "1a"/],
    ['memory off the steps', { memorySize: 200 }, /memorySize 200/],
    ['a timeout past the limit', { timeoutSeconds: 901 }, /timeout 901/],
    ['a handler the bundle has not', { handler: 'index.handler' }, /not index\.handler/],
    ['half a network', { vpcId: 'vpc-1' }, /both vpcId and subnetId/],
    [
      'a timeout below the deadlines',
      { timeoutSeconds: 6 },
      /WeChat may take 3 s and the database 3 s, so it needs at least 7/,
    ],
    [
      'a timer of five fields',
      { timers: [{ name: 'nightly', cron: '0 3 * * *', enabled: true, argument: '' }] },
      /nightly needs seven fields/,
    ],
    [
      'a variable with a reserved name',
      { declared: ['SCF_X'], variables: { SCF_X: '1' } },
      /SCF_X has a prefix/,
    ],
    [
      'variables over 4 KB',
      { declared: ['A'], variables: { A: 'x'.repeat(4096) } },
      /take 4097 bytes/,
    ],
  ])('%s is refused', (_what, changed, message) => {
    expect(faultsOf(wanted(changed))).toMatch(message)
  })

  const random = randomBytes(32).toString('base64url')
  test.each<[string, string | undefined, RegExp]>([
    ['WECHAT_SECRET', undefined, /login: WECHAT_SECRET is not set/],
    ['WECHAT_SECRET', 'secret', /WECHAT_SECRET should be the 32/],
    ['WECHAT_APPID', 'wx1', /WECHAT_APPID should be the 18/],
    ['TOKEN_KEYS', 'secret', /TOKEN_KEYS should be kid:key/],
    ['TOKEN_KEYS', `k1:${randomBytes(31).toString('base64url')}`, /a key of 31 bytes; it needs 32/],
    ['TOKEN_KEYS', `k1:${Buffer.alloc(32, 'ab').toString('base64url')}`, /not random/],
    ['TOKEN_KEYS', `k1:${random},k1:${random}`, /k1 twice/],
    ['LOOKUP_KEY', 'abc', /LOOKUP_KEY holds a key of 2 bytes/],
    ['DATABASE_URL', 'db.example.com', /DATABASE_URL should be/],
    ['DATABASE_URL', 'mysql://a:b@localhost:3306/x', /leads to this computer/],
    ['WECHAT_API_URL', 'http://127.0.0.1:3100', /WECHAT_API_URL should be unset/],
    ['DATABASE_URL', 'http://a:b@db.example.com', /in the clear/],
  ])('%s = %s is refused', (name, value, message) => {
    expect(faultsOf(withVariable(name, value))).toMatch(message)
  })

  test('no refusal shows a value', () => {
    for (const [name, value] of Object.entries(soundVariables())) {
      const spoilt = `${value}!`
      expect(faultsOf(withVariable(name, spoilt)) ?? '').not.toContain(spoilt)
    }
  })

  test('one key for two purposes is refused', () => {
    const sound = soundVariables()
    const variables = { ...sound, SEALING_KEYS: sound.TOKEN_KEYS ?? '' }
    expect(faultsOf(wanted({ variables }))).toMatch(/SEALING_KEYS and TOKEN_KEYS hold the same key/)
  })

  test('a package that the API would not take is refused, the largest that it takes is not', () => {
    const megabytes = (count: number): Buffer => Buffer.alloc(count * 1024 * 1024)
    expect(faultsOf(wanted(), {}, megabytes(7.6))).toMatch(/its package has 7\.6 MB/)
    expect(faultsOf(wanted(), {}, megabytes(7.4))).toBeUndefined()
  })

  test('a domain without certificate, and a path of two functions, are refused', () => {
    const message = faultsOf(wanted(), {
      customDomain: {
        domain: 'api.example.com',
        protocol: 'HTTPS',
        certificateId: '',
        routes: [
          { path: '/score', functionName: 'a' },
          { path: '/score', functionName: 'b' },
        ],
      },
    })
    expect(message).toMatch(/certificateId is not set/)
    expect(message).toMatch(/\/score can lead to one function, not to both a and b/)
  })

  test('everything wrong is said at once', () => {
    const message = faultsOf(wanted({ memorySize: 1, timeoutSeconds: 1, handler: 'x.y' }))
    expect(message?.match(/^ {2}- login: /gm)).toHaveLength(3)
  })
})
