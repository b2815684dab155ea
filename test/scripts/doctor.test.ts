/** The command itself, in a copy of the project, as a person runs it; single checks have files of their own. */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../scripts/simulators/planetscale/sqlite-engine.ts'
import { type OfflineWeChat, startOfflineWeChat } from '../../scripts/simulators/wechat/server.ts'
import { openDb } from '../../shared/wiring/database.ts'
import {
  createServerlessProject,
  type ServerlessProject,
  soundVariables,
} from '../support/serverless-project.ts'

let project: ServerlessProject
let wechat: OfflineWeChat
let planetScale: OfflinePlanetScale
let sound: Record<string, string>

beforeAll(async () => {
  const { DATABASE_URL: _, ...variables } = soundVariables()
  const { WECHAT_APPID: appid = '', WECHAT_SECRET: secret = '' } = variables
  const engine = await openSqliteEngine(':memory:')
  ;[project, wechat, planetScale] = await Promise.all([
    createServerlessProject('real'),
    startOfflineWeChat({ appid, secret }),
    startOfflinePlanetScale({ engine }),
  ])
  sound = { ...variables, DATABASE_URL: planetScale.url, WECHAT_API_URL: wechat.url }
  await copyFile(
    path.join(projectFolder, '.env.example'),
    path.join(project.folder, '.env.example'),
  )
  const db = await openDb(planetScale.url)
  await migrate(db, { migrations: await readMigrations() })
  await db.close()
})

afterAll(async () => {
  await wechat?.close()
  await planetScale?.close()
  await project?.remove()
})

async function doctor(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr, contacts } = await project.script('doctor.ts', args, env)
  return { code, output: stdout + stderr, contacts }
}

function envFile(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

const CHINESE = /\p{Script=Han}/u

describe.concurrent('npm run doctor', () => {
  test('with an empty configuration says what to do first, and fails', async () => {
    const { code, output } = await doctor(['--stage', 'dev'])
    expect(code).toBe(1)
    expect(output).toContain('cp .env.example .env.dev')
    expect(output).toContain('✗ TOKEN_KEYS 没有设置（login、submit-score、query-scores）')
    expect(output).toContain('    TOKEN_KEYS is not set (login, submit-score, query-scores)')
    expect(output).toMatch(
      /✗ \d 个错误，0 个警告，\d 项正常，3 项未检查\n {2}\d errors, 0 warnings/,
    )
  })

  test('with everything in order succeeds, on the values of the stage asked for', async () => {
    const form = createServer((request, response) => {
      const isForm = request.url === '/form'
      const body = isForm ? { account: {}, grades: [], texts: [] } : { code: 'not-found' }
      const type = isForm ? 'application/json' : 'application/problem+json'
      response.writeHead(isForm ? 200 : 404, { 'content-type': type }).end(JSON.stringify(body))
    }).listen(0, '127.0.0.1')
    await once(form, 'listening')
    const address = form.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    await writeFile(path.join(project.folder, '.env.prod'), envFile(sound))
    const { code, output } = await doctor(['--stage', 'prod', '--url', url])
    form.close()
    expect(output).toMatch(/^stage prod · database 127\.0\.0\.1:\d+ \(\.env\.prod\)\n/)
    for (const good of [
      'WeChat accepts AppID and AppSecret',
      'the database answers',
      'the tables are up to date',
      `${url} answers, and /form gives the rating form`,
    ]) {
      expect(output).toContain(good)
    }
    expect(output).not.toContain('✗')
    expect(code).toBe(0)
    expect(wechat.requests().filter(({ path }) => path !== '/cgi-bin/stable_token')).toEqual([])
    for (const [name, value] of Object.entries(sound)) {
      expect(output.includes(value), name).toBe(false)
    }
  })

  test('with everything wrong names it all and shows no value', async () => {
    const canary = (name: string): string => `canary-${name.toLowerCase().replaceAll('_', '-')}`
    const key = randomBytes(32).toString('base64url')
    const variables: Record<string, string> = {
      LIMITS: canary('LIMITS'),
      OPERATORS: 'canary operators',
      ALLOWED_ORIGINS: canary('ALLOWED_ORIGINS'),
      ACCESS_TOKEN_SECONDS: canary('ACCESS_TOKEN_SECONDS'),
      ANONYMOUS_RATINGS: canary('ANONYMOUS_RATINGS'),
      CUSTOM_DOMAIN: 'https://canary-domain',
      CUSTOM_DOMAIN_CERTIFICATE_ID: canary('CERTIFICATE'),
      VPC_ID: canary('VPC'),
      WECHAT_APPID: canary('WECHAT_APPID'),
      WECHAT_SECRET: canary('WECHAT_SECRET'),
      WECHAT_API_URL: 'http://127.0.0.1:1/canary-path',
      DATABASE_URL: 'mysql://canary-user:canary-password@127.0.0.1:1/canary-database',
      TOKEN_KEYS: `k1:${key}`,
      SEALING_KEYS: `s1:${key}`,
      LOOKUP_KEY: canary('LOOKUP_KEY'),
      TOKEN_KEY: canary('misspelt'),
    }
    await writeFile(path.join(project.folder, '.env.wrong'), envFile(variables))
    const { code, output } = await doctor(['--stage', 'wrong'], {
      TENCENTCLOUD_SECRET_KEY: 'canary-cloud',
    })
    expect(code).toBe(1)
    for (const name of Object.keys(variables)) {
      if (/^(LIMITS|CUSTOM_DOMAIN_CERT|VPC_ID)/.test(name)) continue
      expect(output, name).toContain(name)
    }
    for (const said of [
      'hold the same secret',
      'vpcConfig needs both',
      'nothing reads TOKEN_KEY in .env.wrong; did you mean TOKEN_KEYS?',
      'WeChat cannot be reached',
      'nothing listens on that port',
    ]) {
      expect(output).toContain(said)
    }
    expect(output).not.toMatch(/canary/i)
    expect(output).not.toContain(key)
  })

  test('offline and in one language asks nobody and says only that', async () => {
    await writeFile(path.join(project.folder, '.env.quiet'), envFile(sound))
    const args = ['--stage', 'quiet', '--offline', '--lang', 'en', '--url', 'http://127.0.0.1:1']
    const { code, output, contacts } = await doctor(args)
    expect(code).toBe(0)
    expect(output).toContain('were not checked (--offline)')
    expect(output).not.toMatch(CHINESE)
    expect(contacts).toEqual([])
  })

  test('refuses a language it does not speak, and explains itself on request', async () => {
    const [language, help] = await Promise.all([doctor(['--lang', 'fr']), doctor(['--help'])])
    expect(language.code).toBe(1)
    expect(language.output).toContain('zh, en, both')
    expect(help.code).toBe(0)
    expect(help.output).toContain('--url URL')
  })
})

test('a misspelt key of serverless.yml is named', async () => {
  await project.editConfiguration('memorySize: 128', 'memorySizes: 128')
  const { code, output } = await doctor(['--stage', 'dev', '--lang', 'zh'])
  await project.editConfiguration('memorySizes: 128', 'memorySize: 128')
  expect(code).toBe(1)
  expect(output).toContain('serverless.yml 无法读取')
  expect(output).toContain("'memorySizes'")
})
