/** One rule book: what a function would refuse at its start, a deploy, the doctor and a local run refuse as well. */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readDeclarations, refuseBadVariables } from '../scripts/build/declarations.ts'
import { checkConfiguration } from '../scripts/doctor/configuration.ts'
import { inEnglish } from '../scripts/tencent/fault.ts'
import { preflight } from '../scripts/tencent/preflight.ts'
import { type AnyParts, compose } from '../shared/wiring/compose.ts'
import { ConfigurationError } from '../shared/wiring/configuration.ts'
import { deploymentOf, serviceWith } from './support/doctor-scene.ts'
import { soundVariables } from './support/serverless-project.ts'

const limits = [/should be like user:120\/60/, /应写成 user:120\/60/] as const
const bytes = `k1:${randomBytes(32).toString('base64url')}`
const PUBLIC_KEY = '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7'
const keyRing = [/should be id:key/, /格式应为 id:密钥/] as const

/** A variable, a value that it cannot have, and what would be right, in English and in Chinese. */
const bad: [variable: string, value: string, en: RegExp, zh: RegExp][] = [
  ['LIMITS', 'nonsense', ...limits],
  ['LIMITS', 'user:0/60,address:1/1', ...limits],
  ['STORE_SHARDED', 'yes', /should be 1 \/ 0/, /应为 1 \/ 0/],
  ['COMPRESS', 'yes', /should be 1 \/ 0/, /应为 1 \/ 0/],
  ['OPERATORS', '!', /should be user ids or openids/, /应为用户 id 或 openid/],
  ['OPERATORS', 'canary person', /separated by commas/, /用逗号分隔/],
  ['DATABASE_CONNECTIONS', '0', /whole number from 1 to 99/, /1 到 99/],
  ['DATABASE_CONNECTIONS', '1e1', /whole number from 1 to 99/, /1 到 99/],
  ['ALLOWED_ORIGINS', 'https://canary.example/path', /exact origins/, /完整的来源地址/],
  ['ALLOWED_ORIGINS', '*', /exact origins/, /完整的来源地址/],
  ['ANONYMOUS_RATINGS', 'maybe', /should be keep \/ delete/, /应为 keep \/ delete/],
  ['SESSION_MAX_DAYS', '0', /from 1 to 3650/, /1 到 3650/],
  ['HOLDER_DAYS', '0', /from 1 to 3650/, /1 到 3650/],
  ['TAKEN_OVER_RATINGS', 'some', /should be from-binding \/ all/, /应为 from-binding \/ all/],
  ['ACCESS_TOKEN_SECONDS', '5', /from 60 to 86400/, /60 到 86400/],
  ['ACCESS_TOKEN_SECONDS', '86401', /from 60 to 86400/, /60 到 86400/],
  ['DATABASE_URL', 'postgres://canary:canary@db.example.com/x', /should be mysql:/, /应为 mysql:/],
  ['DATABASE_URL', 'mysql://canary:canary@db.example.com', /names no database/, /没有库名/],
  ['DATABASE_URL', 'https://db.example.com', /names no user/, /没有用户名/],
  ['DATABASE_URL', 'https://user:can%61ry@db.example.com', /percent-encoding/, /百分号编码/],
  ['DATABASE_URL', 'http://user:canary@db.example.com', /must use https/, /必须用 https/],
  ['DATABASE_URL', '', /is not set/, /没有设置/],
  ['TOKEN_KEYS', 'canary-key', ...keyRing],
  ['TOKEN_KEYS', 'k1:canary', /a key of 4 bytes; it needs 32/, /只有 4 字节/],
  ['TOKEN_KEYS', bytes.slice(3), ...keyRing],
  ['TOKEN_KEYS', `${bytes},`, ...keyRing],
  ['TOKEN_KEYS', `${bytes},${bytes}`, /keys 1 and 2 the same id/, /第 1 个和第 2 个/],
  ['TOKEN_KEYS', `k1:${Buffer.alloc(32).toString('base64url')}`, /not random/, /不是随机/],
  ['SEALING_KEYS', `s1:${'canary'.repeat(8)}`, /not random/, /不是随机/],
  // From the first tutorial that comes up.
  ['TOKEN_KEYS', `${bytes},k0:${PUBLIC_KEY}`, /from a public list/, /出自公开的密钥名单/],
  ['LOOKUP_KEY', PUBLIC_KEY, /from a public list/, /出自公开的密钥名单/],
  [
    'LOOKUP_KEY',
    btoa('a sentence that somebody thought of').replace(/=+$/, ''),
    /not random/,
    /不是随机/,
  ],
  ['LOOKUP_KEY', 'canary key', /should be a key in base64url/, /应为 base64url/],
  ['WECHAT_APPID', 'wx?', /should be the AppID/, /应为小程序的 AppID/],
  ['WECHAT_SECRET', 'canary', /should be the AppSecret/, /应为小程序的 AppSecret/],
  ['WECHAT_API_URL', 'http://canary.example.com', /should be an https address/, /应为 https 地址/],
]

const good: [variable: string, value: string][] = [
  ['LIMITS', 'off'],
  ['LIMITS', 'user:1/1,address:1/1'],
  ['STORE_SHARDED', '1'],
  ['COMPRESS', '1'],
  ['OPERATORS', 'oABCDEF, o-123_456,'],
  ['DATABASE_CONNECTIONS', '99'],
  ['ALLOWED_ORIGINS', 'https://example.com, https://a.example.com:8443'],
  ['ANONYMOUS_RATINGS', 'keep'],
  ['SESSION_MAX_DAYS', '7'],
  ['HOLDER_DAYS', '90'],
  ['TAKEN_OVER_RATINGS', 'all'],
  ['ACCESS_TOKEN_SECONDS', '60'],
  ['DATABASE_URL', 'mysql://user:p%40ss@db.example.com:3306/x?ssl=true'],
  ['WECHAT_API_URL', ''],
]

const names = ['login', 'query-scores', 'submit-score']
const declarations = await readDeclarations(names)
const sound = soundVariables()

/** The sentences of one who judges variables, all about what is wrong. */
type Judge = (env: Record<string, string>) => Promise<string[]> | string[]

/** A function at its start. */
function starting(parts: AnyParts): Judge {
  return (env) => {
    try {
      compose(parts, env)
      return []
    } catch (error) {
      if (error instanceof ConfigurationError) return error.variables
      throw error
    }
  }
}

function deploying(declared: typeof declarations): Judge {
  return (env) => {
    const service = serviceWith(env)
    const { functions } = service
    return preflight({ service, functions, packages: [], declarations: declared }).map(inEnglish)
  }
}

function doctorIn(language: 'en' | 'zh'): Judge {
  return async (env) => {
    const deployment = deploymentOf(serviceWith(env))
    const findings = await checkConfiguration({ deployment, env: {} })
    return findings.filter(({ severity }) => severity === 'error').map((each) => each[language])
  }
}

const startingLocally: Judge = async (env) => {
  const given = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]))
  const runs = names.map((name) =>
    refuseBadVariables(name, Object.fromEntries(given)).then(
      () => [],
      (error: Error) => [error.message],
    ),
  )
  return [...new Set((await Promise.all(runs)).flat())]
}

/** The parts of the three functions, which take every variable between them; those of login take most. */
const allParts: AnyParts = {
  ...declarations.get('submit-score'),
  ...declarations.get('query-scores'),
  ...declarations.get('login'),
}
const judges: [who: string, judge: Judge, language: 'en' | 'zh'][] = [
  ['a function at its start', starting(allParts), 'en'],
  ['a deploy', deploying(declarations), 'en'],
  ['the doctor', doctorIn('en'), 'en'],
  ['the doctor in Chinese', doctorIn('zh'), 'zh'],
  ['a local run', startingLocally, 'en'],
]

/** The rows of the table that a judge lets pass, words wrongly, or answers with the value. */
async function missedBy(judge: Judge, language: 'en' | 'zh'): Promise<string[]> {
  const missed = []
  for (const [variable, value, en, zh] of bad) {
    const said = await judge({ ...sound, [variable]: value })
    const [sentence = '', ...others] = said
    const isNamed = sentence.includes(variable) && (language === 'en' ? en : zh).test(sentence)
    const isShown = value.length > 3 && said.join().includes(value)
    if (!isNamed || isShown || others.length > 0 || /canary/.test(sentence)) {
      missed.push(`${variable}=${value}: ${said.join()}`)
    }
  }
  return missed
}

/** The parts of a function, none of which says that it takes `variable`. */
function without(variable: string, parts: AnyParts): AnyParts {
  return Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [
      name,
      { ...part, variables: part.variables.filter((each) => each !== variable), make: () => null },
    ]),
  )
}

describe.each(judges)('%s', (_who, judge, language) => {
  test('refuses each bad value by its name, says what would be right, and shows no value', async () => {
    expect(await missedBy(judge, language)).toEqual([])
  })

  test.each(good)('takes %s=%s', async (variable, value) => {
    expect(await judge({ ...sound, [variable]: value })).toEqual([])
  })
})

describe('a rule that is missing in one place', () => {
  const variables = [...new Set(bad.map(([variable]) => variable))]

  test.each(variables)('%s, is noticed', async (variable) => {
    const forgetful = new Map(
      [...declarations].map(([key, parts]) => [key, without(variable, parts)]),
    )
    for (const judge of [starting(without(variable, allParts)), deploying(forgetful)]) {
      const missed = await missedBy(judge, 'en')
      expect(missed).toHaveLength(bad.filter(([name]) => name === variable).length)
      expect(missed[0]).toMatch(new RegExp(`^${variable}=`))
    }
  })
})
