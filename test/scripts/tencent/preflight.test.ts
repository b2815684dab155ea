import { describe, expect, test } from 'vitest'
import { readDeclarations } from '../../../scripts/build/declarations.ts'
import type { DesiredFunction, DesiredService } from '../../../scripts/service/service.ts'
import { inEnglish } from '../../../scripts/tencent/fault.ts'
import type { PackageRecord } from '../../../scripts/tencent/package-functions.ts'
import { preflight } from '../../../scripts/tencent/preflight.ts'
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
  record: PackageRecord | undefined = { sha256: '', storeDoor: 'planetscale', needs: [] },
) {
  const faults = preflight({
    service: {
      service: 'miniscore',
      stage: 'dev',
      region: 'ap-guangzhou',
      namespace: 'default',
      functions: [one],
      watching: unwatched,
      ...service,
    },
    functions: [one],
    packages: [{ key: one.key, file: 'login.zip', zip, sha256: '', record }],
    declarations,
    answeredTimers: new Map([['login', ['nightly']]]),
  })
  return faults.map(inEnglish)
}

const unwatched = { logsetId: '', topicId: '', retentionDays: '', noticeId: '' }

const declarations = await readDeclarations(['login'])

function withVariable(name: string, value: string | undefined): DesiredFunction {
  const { [name]: _left, ...rest } = soundVariables()
  const declared = [...Object.keys(rest), name]
  return wanted({ variables: value === undefined ? rest : { ...rest, [name]: value }, declared })
}

describe('before anything is sent', () => {
  test.each([
    ['alarms without a log topic', { noticeId: 'notice-1' }, [/set cls for the provider/]],
    ['0 days', { topicId: 'topic-1', retentionDays: '0' }, [/logRetentionDays is not 1 to 3600/]],
    [
      'a word',
      { topicId: 'topic-1', retentionDays: 'year' },
      [/logRetentionDays is not 1 to 3600/],
    ],
    ['3601 days', { topicId: 'topic-1', retentionDays: '3601' }, [/or 3640 for ever/]],
    ['for ever', { topicId: 'topic-1', retentionDays: '3640' }, []],
  ])('a log topic is asked for what it can do: %s', (_what, changed, says) => {
    const faults = faultsOf(wanted(), { watching: { ...unwatched, ...changed } })
    expect(faults).toEqual(says.map((each) => expect.stringMatching(each)))
  })

  test('a sound configuration passes', () => {
    expect(faultsOf(wanted())).toEqual([])
  })

  test.each<[string, Partial<DesiredFunction>, RegExp]>([
    ['a name of 61 characters', { name: 'a'.repeat(61) }, /it has 61/],
    ['a name that begins with a digit', { name: '1a' }, /the name "1a"/],
    ['memory off the steps', { memorySize: 200 }, /memorySize 200/],
    ['a timeout past the limit', { timeoutSeconds: 901 }, /timeout 901/],
    [
      'a handler the bundle has not',
      { handler: 'index.handler' },
      /only handler is index\.main_handler/,
    ],
    ['half a network', { vpcId: 'vpc-1' }, /both vpcId and subnetId/],
    [
      'a timeout below the deadlines',
      { timeoutSeconds: 6 },
      /WeChat and the database may take 6 s, so it needs at least 7/,
    ],
    [
      'a timer of five fields',
      { timers: [{ name: 'nightly', cron: '0 3 * * *', enabled: true, argument: '' }] },
      /nightly needs seven fields/,
    ],
    [
      'a variable with a reserved name',
      { variables: { ...soundVariables(), SCF_X: '1' } },
      /SCF_X has a prefix/,
    ],
    [
      'variables over 4 KB',
      { variables: { ...soundVariables(), A: 'x'.repeat(4096) } },
      /take 4\d+ bytes; the cloud takes 4096/,
    ],
  ])('%s is refused', (_what, changed, message) => {
    expect(faultsOf(wanted(changed)).join('\n')).toMatch(message)
  })

  test('a timer that the function does not answer is refused, one that it answers is not', () => {
    const timer = { name: 'weekly', cron: '0 0 3 * * MON *', enabled: true, argument: '' }
    expect(faultsOf(wanted({ timers: [timer] })).join()).toMatch(
      /the timer weekly is not one that the function answers: functions\/login\/parts\.ts/,
    )
    expect(faultsOf(wanted({ timers: [{ ...timer, name: 'nightly' }] }))).toEqual([])
  })

  // What functions refuse themselves is in test/rule-book.test.ts.
  test.each<[string, string | undefined, RegExp]>([
    ['WECHAT_SECRET', undefined, /login: WECHAT_SECRET is not set/],
    ['WECHAT_SECRET', 'an-offline-wechat-takes-this', /should be the AppSecret .* 32 hexadecimal/],
    ['WECHAT_APPID', 'wx00000000000local', /should be the AppID .* 16 hexadecimal/],
    ['DATABASE_URL', 'mysql://a:b@localhost:3306/x', /leads to this computer/],
    ['DATABASE_URL', 'http://a:b@127.0.0.1', /leads to this computer/],
    ['WECHAT_API_URL', 'http://127.0.0.1:3100', /WECHAT_API_URL leads to this computer/],
  ])('%s = %s is refused', (name, value, message) => {
    expect(faultsOf(withVariable(name, value)).join('\n')).toMatch(message)
  })

  test('no refusal shows a value', () => {
    for (const [name, value] of Object.entries(soundVariables())) {
      const spoilt = `${value}!`
      expect(faultsOf(withVariable(name, spoilt)).join()).not.toContain(spoilt)
    }
  })

  test('a function that does not say what it needs, or is not given it, is refused', () => {
    const { TOKEN_KEYS: _, ...variables } = soundVariables()
    expect(faultsOf(wanted({ variables }))).toEqual([
      'login: TOKEN_KEYS is needed, but serverless.yml does not give it to the function',
    ])
    expect(faultsOf(wanted({ key: 'greet' }))).toEqual([
      'greet: functions/greet/parts.ts is missing: it exports what the function needs',
    ])
  })

  test('one key for two purposes is refused', () => {
    const sound = soundVariables()
    const variables = { ...sound, SEALING_KEYS: sound.TOKEN_KEYS ?? '' }
    expect(faultsOf(wanted({ variables })).join()).toMatch(
      /SEALING_KEYS and TOKEN_KEYS hold the same secret/,
    )
  })

  test('a package that the API would not take is refused, the largest that it takes is not', () => {
    const megabytes = (count: number): Buffer => Buffer.alloc(count * 1024 * 1024)
    expect(faultsOf(wanted(), {}, megabytes(7.6)).join()).toMatch(/its package has 7\.6 MB/)
    expect(faultsOf(wanted(), {}, megabytes(7.4))).toEqual([])
  })

  test('a domain without certificate, and a path of two functions, are refused', () => {
    const faults = faultsOf(wanted(), {
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
    expect(faults.join()).toMatch(/certificateId is not set/)
    expect(faults.join()).toMatch(/\/score can lead to one function, not to both a and b/)
  })

  test('everything wrong is said at once', () => {
    const faults = faultsOf(wanted({ memorySize: 1, timeoutSeconds: 1, handler: 'x.y' }))
    expect(faults).toHaveLength(3)
    for (const fault of faults) expect(fault).toMatch(/^login: /)
  })
})
