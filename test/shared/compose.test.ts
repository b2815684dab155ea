import { describe, expect, test } from 'vitest'
import { readService } from '../../scripts/local/service.ts'
import {
  allowedOriginsFrom,
  appidFrom,
  ConfigurationError,
  compose,
  storeFrom,
  tokensFrom,
  weChatFrom,
} from '../../shared/compose.ts'
import type { LogEvent } from '../../shared/ports.ts'
import { serve } from '../../shared/transport/serve.ts'
import { call } from '../support/http-events.ts'
import { randomKey } from '../support/world.ts'

const good = {
  DATABASE_URL: 'https://user:password@aws.connect.psdb.cloud',
  TOKEN_KEYS: `${randomKey('k2')},${randomKey('k1')}`,
  WECHAT_APPID: 'wx0123456789abcdef',
  WECHAT_SECRET: '0123456789abcdef0123456789abcdef',
}
const parts = {
  store: storeFrom,
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
      parts: { tokens: tokensFrom, store: storeFrom },
      endpoints: [],
      env: { ...good, TOKEN_KEYS: 'k1:too-weak-a-value' },
      log: { write: (line) => lines.push(line) },
    })
    for (const route of ['GET /form', 'POST /score', 'GET /nowhere']) {
      expect(await call(handler, route)).toMatchObject({
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
  const readers: Record<string, (env: Record<string, string>) => unknown> = {
    'submit-score': (env) => compose({ tokens: tokensFrom, store: storeFrom }, env),
    'query-scores': (env) => compose({ tokens: tokensFrom, store: storeFrom }, env),
  }

  test.each(Object.keys(readers))('%s is never given the AppSecret', async (name) => {
    const declared = (await readService()).find((each) => each.name === name)
    expect(declared?.variables).not.toContain('WECHAT_SECRET')
    const { WECHAT_SECRET: _, ...without } = good
    expect(() => readers[name]?.(without)).not.toThrow()
  })
})
