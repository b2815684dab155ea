import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { readStage } from '../../../scripts/cli/stage.ts'
import { inChinese } from '../../../scripts/doctor/chinese.ts'
import { checkConfiguration } from '../../../scripts/doctor/configuration.ts'
import { type Deployment, readDeployment } from '../../../scripts/doctor/deployment.ts'
import { exitCodeOf, type Finding } from '../../../scripts/doctor/report.ts'
import { probablyMeant } from '../../../scripts/doctor/spelling.ts'
import { type FaultCode, faultSentences } from '../../../scripts/tencent/fault.ts'
import { WECHAT_BUDGET_MS } from '../../../shared/wechat/api-call.ts'
import { fill } from '../../../shared/wiring/configuration.ts'
import { DATABASE_BUDGET_MS } from '../../../shared/wiring/database.ts'
import { deploymentOf, idsOf, serviceWith, wordsOf } from '../../support/doctor-scene.ts'
import { soundVariables } from '../../support/serverless-project.ts'

function check(deployment: Deployment, env: Record<string, string> = {}): Promise<Finding[]> {
  return checkConfiguration({ deployment, env })
}

function checkWith(changed: Record<string, string>): Promise<Finding[]> {
  return check(deploymentOf(serviceWith({ ...soundVariables(), ...changed })))
}

function wrongIn(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => severity !== 'ok')
}

describe('variables', () => {
  test('a sound configuration is called in order, by names alone', async () => {
    const variables = soundVariables()
    const findings = await check(deploymentOf(serviceWith(variables)))
    expect(idsOf(findings)).toEqual(['ok configuration.variables'])
    expect(findings[0]?.en).toContain('DATABASE_URL')
    for (const value of Object.values(variables)) expect(wordsOf(findings)).not.toContain(value)
  })

  test('each that is missing is named with the functions that want it, and what to do first is said', async () => {
    const none = Object.fromEntries(Object.keys(soundVariables()).map((name) => [name, '']))
    const findings = await check(deploymentOf(serviceWith(none), { envFile: undefined }))
    expect(findings[0]?.id).toBe('configuration.nothing-set')
    expect(findings[0]?.todo?.en).toContain('cp .env.example .env.dev')
    const missing = findings.filter(({ en }) => / is not set /.test(en)).map(({ id }) => id)
    expect(missing.sort()).toEqual(
      Object.keys(none)
        .map((name) => `configuration.${name}`)
        .sort(),
    )
    expect(wordsOf(findings)).toContain('WECHAT_SECRET 没有设置（login）')
    expect(wordsOf(findings)).toContain('TOKEN_KEYS is not set (login, submit-score, query-scores)')
    expect(exitCodeOf(findings)).toBe(1)
  })

  const random = randomBytes(32).toString('base64url')
  test.each<[string, string, RegExp, RegExp]>([
    ['TOKEN_KEYS', `k1:${random},k2:${random}`, /两个编号/, /one key under two ids/],
    ['WECHAT_SECRET', 'an-offline-wechat-takes-this', /32 个十六进制/, /32 hexadecimal/],
  ])('%s = %s is refused in both languages', async (name, value, zh, en) => {
    const wrong = wrongIn(await checkWith({ [name]: value }))
    expect(idsOf(wrong)).toEqual([`error configuration.${name}`])
    expect(wrong[0]?.zh).toMatch(zh)
    expect(wrong[0]?.en).toMatch(en)
    expect(wrong[0]?.todo?.zh).not.toBe(wrong[0]?.todo?.en)
    expect(wordsOf(wrong)).not.toContain(`"${value}"`)
  })

  test.each(['SEALING_KEYS', 'LOOKUP_KEY'])('%s may not be the key of TOKEN_KEYS', async (name) => {
    const value = name === 'LOOKUP_KEY' ? random : `s1:${random}`
    const wrong = wrongIn(await checkWith({ TOKEN_KEYS: `k1:${random}`, [name]: value }))
    expect(wrong).toHaveLength(1)
    expect(wrong[0]?.en).toMatch(/hold the same secret/)
    expect(wrong[0]?.zh).toMatch(/用了同一个秘密/)
  })

  test('a password that is also a key, or also the AppSecret, is found', async () => {
    const key = wrongIn(
      await checkWith({ LOOKUP_KEY: random, DATABASE_URL: `mysql://u:${random}@db.example.com/x` }),
    )
    expect(key[0]?.en).toBe(
      'LOOKUP_KEY and DATABASE_URL hold the same secret; each needs its own (login, query-scores)',
    )
    const secret = randomBytes(16).toString('hex')
    const DATABASE_URL = `mysql://u:${secret}@db.example.com/x`
    const both = wrongIn(await checkWith({ WECHAT_SECRET: secret, DATABASE_URL }))
    expect(idsOf(both)).toEqual(['error configuration.DATABASE_URL'])
  })

  test('addresses of this computer are fine here and warned about', async () => {
    const wrong = wrongIn(
      await checkWith({
        DATABASE_URL: 'mysql://u:p@127.0.0.1:3306/x',
        WECHAT_API_URL: 'http://127.0.0.1:3001',
      }),
    )
    expect(idsOf(wrong)).toEqual([
      'warning configuration.DATABASE_URL',
      'warning configuration.WECHAT_API_URL',
    ])
    expect(exitCodeOf(wrong)).toBe(0)
  })

  test('a variable that a function reads but is not given is found', async () => {
    const { TOKEN_KEYS: _, ...rest } = soundVariables()
    const wrong = wrongIn(await check(deploymentOf(serviceWith(rest))))
    expect(wrong.map(({ en }) => en)).toEqual([
      'TOKEN_KEYS is needed, but serverless.yml does not give it to the function (login, submit-score, query-scores)',
    ])
  })

  test.each([
    ['TOKEN_KEY', 'TOKEN_KEYS'],
    ['WECHAT_APP_ID', 'WECHAT_APPID'],
    ['wechat_secret', 'WECHAT_SECRET'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['SEALING_KYES', 'SEALING_KEYS'],
  ])('%s is taken for a slip of %s', async (written, meant) => {
    const sound = soundVariables()
    const service = serviceWith({ ...sound, [meant]: '' })
    const inFile = await check(deploymentOf(service, { fileValues: { [written]: 'canary-value' } }))
    expect(wordsOf(inFile)).toContain(`did you mean ${meant}?`)
    expect(wordsOf(inFile)).not.toContain('canary-value')
    expect(wordsOf(await check(deploymentOf(service), { [written]: 'x' }))).toContain(
      `nothing reads ${written} in the environment`,
    )
  })

  test('names that mean something else are left alone', async () => {
    for (const name of ['PATH', 'HOME', 'PORT', 'LANG', 'DATABASE_HOST', 'TOKEN_KEYS', 'KEYS']) {
      expect(probablyMeant(name, [...Object.keys(soundVariables()), 'LIMITS', 'PORT'])).toBe(
        undefined,
      )
    }
  })
})

describe('settings of serverless.yml', () => {
  test.each<[string, Parameters<typeof serviceWith>[1], RegExp]>([
    ['memory off the steps', { login: { memorySize: 200 } }, /内存 200 MB 不可用/],
    ['a timeout past the limit', { login: { timeout: 901 } }, /超时 901 秒不可用/],
    ['a handler of another name', { login: { handler: 'a.b' } }, /入口只能是/],
    ['a name too long', { login: { name: 'a'.repeat(61) } }, /名称 .*不合规/],
    ['a description with odd characters', { login: { description: '<>' } }, /描述最多/],
    ['half a network', { provider: { vpcConfig: { vpcId: 'vpc-1' } } }, /同时设置 vpcId/],
    ['half a log topic', { provider: { cls: { topicId: 't' } } }, /同时设置 logsetId/],
    [
      'a timer of five fields',
      { login: { events: [{ timer: { parameters: { cronExpression: '0 3 * * *' } } }] } },
      /七段/,
    ],
    [
      'a domain with https://',
      { provider: { customDomain: { domain: 'https://canary.example', certificateId: 'c' } } },
      /不是域名/,
    ],
    [
      'a domain without a certificate',
      { provider: { customDomain: { domain: 'api.example.com' } } },
      /需要账号下的证书/,
    ],
    [
      'too many variables',
      { login: { environment: { MORE: 'x'.repeat(5000) } } },
      /上限为 4096 字节/,
    ],
    ['a reserved variable', { login: { environment: { SCF_X: '1' } } }, /由平台保留/],
  ])('%s is refused as a deploy would, in Chinese too', async (_what, changes, zh) => {
    const findings = await check(deploymentOf(serviceWith(soundVariables(), changes)))
    const found = findings.filter((finding) => zh.test(finding.zh))
    expect(found.length, wordsOf(findings)).toBeGreaterThan(0)
    expect(found.every(({ severity }) => severity === 'error')).toBe(true)
    expect(wordsOf(findings)).not.toContain('canary.example')
  })

  test.each(Object.keys(faultSentences) as FaultCode[])(
    '%s has the same details in both languages',
    (code) => {
      const gaps = (text: string) => text.match(/\{\w+\}|…/g)?.sort() ?? []
      const details = new Proxy({}, { get: (_target, name) => `{${String(name)}}` })
      const [zh, en] = [inChinese(code, details), fill(faultSentences[code], details)]
      expect(zh).toMatch(/[\u4e00-\u9fff]/)
      expect(new Set(gaps(zh))).toEqual(new Set(gaps(en)))
    },
  )

  test('timeouts are measured by what the code waits for', async () => {
    const least = (WECHAT_BUDGET_MS + DATABASE_BUDGET_MS) / 1000 + 1
    const withTimeout = async (timeout: number) =>
      wrongIn(await check(deploymentOf(serviceWith(soundVariables(), { login: { timeout } }))))
    expect(await withTimeout(least)).toEqual([])
    const [finding] = await withTimeout(least - 1)
    expect(finding).toMatchObject({ id: 'configuration.serverless-yml', severity: 'error' })
    expect(finding?.zh).toContain(`至少需要 ${least} 秒`)
    expect(finding?.en).toContain(`at least ${least}`)
  })

  test('a function without WeChat may be shorter, and little memory is warned about', async () => {
    const provider = { timeout: DATABASE_BUDGET_MS / 1000 + 1, memorySize: 64 }
    const login = { timeout: 10 }
    const service = serviceWith(soundVariables(), { provider, login })
    const ids = idsOf(wrongIn(await check(deploymentOf(service))))
    expect(new Set(ids)).toEqual(new Set(['warning configuration.memory']))
  })
})

describe('reading the configuration as a deploy does', () => {
  test('the stage’s own file holds, as it is written; the environment fills in', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'doctor-'))
    try {
      const reference = (text: string): string => `$\{${text}}`
      const yml = [
        'service: miniscore',
        'provider:',
        '  name: tencent',
        `  stage: ${reference("opt:stage, 'dev'")}`,
        '  environment:',
        '    LIMITS: $LIMITS',
        '    OPERATORS: $OPERATORS',
        'functions:',
        '  login: { events: [] }',
      ]
      await writeFile(path.join(folder, 'serverless.yml'), yml.join('\n'))
      await writeFile(path.join(folder, '.env'), 'LIMITS=wrong\nOPERATORS=wrong\n')
      await writeFile(path.join(folder, '.env.prod'), 'LIMITS=from-$prod\n')
      const env = { PATH: process.env.PATH, HOME: folder, LIMITS: 'wrong', OPERATORS: 'from-env' }
      const stage = await readStage('prod', { folder, env })
      const prod = await readDeployment({ folder, stage, env })
      expect(prod.envFile).toBe('.env.prod')
      expect(prod.service.functions[0]?.variables).toEqual({
        LIMITS: 'from-$prod',
        OPERATORS: 'from-env',
      })
      expect([...prod.knownNames]).toEqual(['LIMITS', 'OPERATORS'])
      await writeFile(path.join(folder, 'serverless.yml'), 'service: [')
      const broken = readDeployment({ folder, stage, env: { ...env, LIMITS: 'canary-value' } })
      await expect(broken).rejects.toThrow(/Cannot parse "serverless\.yml"/)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
