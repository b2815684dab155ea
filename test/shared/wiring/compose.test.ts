import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { bundleFunction, functionNames, projectFolder } from '../../../scripts/build/bundle.ts'
import type { LogEvent } from '../../../shared/ports.ts'
import { serve } from '../../../shared/transport/serve.ts'
import {
  allowedOriginsFrom,
  appidFrom,
  compose,
  limiterFrom,
  lookupFrom,
  operatorsFrom,
  platformSessionsFrom,
  ratingsFrom,
  sessionCheckFrom,
  sessionsFrom,
  tokensFrom,
  vaultFrom,
  weChatFrom,
} from '../../../shared/wiring/compose.ts'
import { ConfigurationError } from '../../../shared/wiring/configuration.ts'
import { call } from '../../support/http-events.ts'
import { readService } from '../../support/service.ts'
import { randomKey } from '../../support/world.ts'

const good = {
  DATABASE_URL: 'https://user:password@aws.connect.psdb.cloud',
  TOKEN_KEYS: `${randomKey('k2')},${randomKey('k1')}`,
  SEALING_KEYS: randomKey('s1'),
  LOOKUP_KEY: randomKey('x').slice(2),
  WECHAT_APPID: 'wx0123456789abcdef',
  WECHAT_SECRET: '0123456789abcdef0123456789abcdef',
}
const parts = {
  ratings: ratingsFrom,
  sessions: sessionsFrom,
  vault: vaultFrom,
  lookup: lookupFrom,
  operators: operatorsFrom,
  limiter: limiterFrom,
  tokens: tokensFrom,
  wechat: weChatFrom,
  appid: appidFrom,
  origins: allowedOriginsFrom,
}

function wrongVariables(env: Record<string, string>): string[] {
  try {
    compose(parts, { ...good, ...env })
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return [...error.variables]
    throw error
  }
}

describe('configuration', () => {
  test('a complete one is accepted', () => {
    expect(wrongVariables({})).toEqual([])
  })

  test.each([
    ['DATABASE_URL', ''],
    ['DATABASE_URL', 'not a url'],
    ['DATABASE_URL', 'postgres://user:password@host/db'],
    ['DATABASE_URL', 'https://host-without-user'],
    ['DATABASE_URL', 'http://user:password@example.com'],
    ['TOKEN_KEYS', ''],
    ['TOKEN_KEYS', `k1:${Buffer.alloc(31, 'abcdefghijklmnopqrstuvwxyz').toString('base64url')}`],
    ['TOKEN_KEYS', `k1:${Buffer.alloc(32).toString('base64url')}`],
    [
      'TOKEN_KEYS',
      `k1:${Buffer.from('secretsecretsecretsecretsecretsecret').toString('base64url')}`,
    ],
    ['TOKEN_KEYS', randomKey('k1').slice(3)],
    ['TOKEN_KEYS', `${randomKey('k1')},${randomKey('k1')}`],
    ['TOKEN_KEYS', `${randomKey('k1')},`],
    ['SEALING_KEYS', 's1:short'],
    ['LOOKUP_KEY', 'short'],
    ['LIMITS', 'none'],
    ['LIMITS', 'user:0/60,address:1/1'],
    ['OPERATORS', 'a person'],
    ['ACCESS_TOKEN_SECONDS', '59'],
    ['ACCESS_TOKEN_SECONDS', '1e3'],
    ['WECHAT_APPID', 'wx'],
    ['WECHAT_SECRET', 'short'],
    ['WECHAT_API_URL', 'http://api.example.com'],
    ['ALLOWED_ORIGINS', '*'],
    ['ALLOWED_ORIGINS', 'https://example.com/path'],
  ])('%s=%s is refused, naming the variable and not the value', (name, value) => {
    const [wrong = '', ...others] = wrongVariables({ [name]: value })
    expect(others).toEqual([])
    expect(wrong).toMatch(new RegExp(`^${name} `))
    if (value.length > 3) expect(wrong).not.toContain(value)
  })

  test('everything that is wrong is named at once', () => {
    const wrong = wrongVariables({ TOKEN_KEYS: 'x', WECHAT_SECRET: 'x' })
    expect(wrong.map((each) => each.split(' ')[0])).toEqual(['TOKEN_KEYS', 'WECHAT_SECRET'])
  })

  test('a wrong one answers every request with the same 500 problem and one line naming the variable', async () => {
    const lines: LogEvent[] = []
    const handler = serve({
      functionName: 'broken',
      parts: {
        tokens: tokensFrom,
        sessions: sessionCheckFrom,
        operators: operatorsFrom,
        limiter: limiterFrom,
        platformSessions: platformSessionsFrom,
      },
      endpoints: [],
      env: { ...good, TOKEN_KEYS: 'k1:too-weak-a-value' },
      log: { write: (line) => lines.push(line) },
    })
    for (const route of ['GET /form', 'POST /score', 'GET /nowhere']) {
      expect(await call(handler.http, route)).toMatchObject({
        status: 500,
        body: { code: 'misconfigured', retry: 'never' },
      })
    }
    expect(lines).toHaveLength(3)
    expect(lines[0]?.variables?.[0]).toMatch(/^TOKEN_KEYS /)
    expect(JSON.stringify(lines)).not.toContain('too-weak-a-value')
  })
})

describe('least privilege', () => {
  /** The variables a function's own parts read, seen by building it over an environment that keeps count. */
  async function variablesRead(name: string): Promise<string[]> {
    const { file } = await bundleFunction(name, {
      storeDoor: 'planetscale',
      outdir: 'dist/privilege',
    })
    const asked = new Set<string>()
    const env = new Proxy<Record<string, string | undefined>>(good, {
      get: (target, property) => {
        asked.add(String(property))
        return target[String(property)]
      },
    })
    const process = {
      env,
      version: globalThis.process.version,
      versions: globalThis.process.versions,
    }
    const module = { exports: {} }
    const load = new Function(
      'require',
      'module',
      'exports',
      'process',
      await readFile(file, 'utf8'),
    )
    load(createRequire(file), module, module.exports, process)
    return [...asked].filter((variable) => /^[A-Z_]+$/.test(variable)).sort()
  }

  test.each(functionNames)(
    '%s reads exactly the variables serverless.yml gives it',
    async (name) => {
      const declared = (await readService()).find(({ key }) => key === name)
      expect(await variablesRead(name)).toEqual([...(declared?.declared ?? [])].sort())
    },
  )

  test('only login knows the AppSecret and the sealing keys', async () => {
    for (const { key, declared } of await readService()) {
      expect(declared.includes('WECHAT_SECRET')).toBe(key === 'login')
      expect(declared.includes('SEALING_KEYS')).toBe(key === 'login')
    }
  })

  test('.env.example lists every variable', async () => {
    const example = await readFile(path.join(projectFolder, '.env.example'), 'utf8')
    for (const { declared } of await readService()) {
      for (const variable of declared) expect(example).toMatch(new RegExp(`^#?${variable}=`, 'm'))
    }
  })
})
