import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localStage, readStage } from '../../../scripts/cli/stage.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-stage-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function write(file: string, text: string): Promise<void> {
  return writeFile(path.join(folder, file), text)
}

function refusal(name: string | undefined, options = {}): Promise<string> {
  return readStage(name, { folder, env: {}, ...options }).then(
    ({ headline }) => `not refused: ${headline}`,
    (error: Error) => error.message,
  )
}

describe('a stage', () => {
  test('has the values of its file as they are written, and of the environment what the file leaves empty', async () => {
    await write('.env.prod', 'LIMITS="off"\nOPERATORS=\nCOMPRESS=$1 # a note\nSCF_ROLE=a$LIMITS\n')
    await write('.env', 'TOKEN_KEYS=of-another-file\n')
    const env = { LIMITS: 'user:1/60', OPERATORS: 'someone', ALLOWED_ORIGINS: '' }
    const { values, file } = await readStage('prod', { folder, env })
    expect(file).toBe('.env.prod')
    expect(values).toEqual({
      LIMITS: 'off',
      OPERATORS: 'someone',
      COMPRESS: '$1',
      SCF_ROLE: 'a$LIMITS',
    })
  })

  test.each([
    ['https://me:secret@aws.connect.psdb.cloud', 'database aws.connect.psdb.cloud'],
    ['mysql://me:secret@10.0.0.3:3306/shop', 'database 10.0.0.3:3306'],
    ['planetscale+mysql://me:secret@10.0.0.3/shop', 'database 10.0.0.3'],
    ['sqlite::memory:', 'database in memory'],
    ['mysql://me:77/secret@10.0.0.3/shop', 'database at an address that is no URL'],
    ['secret', 'database at an address that is no URL'],
    ['', 'no DATABASE_URL'],
  ])('says which database %s is, and neither user nor password', async (address, said) => {
    await write('.env.prod', `DATABASE_URL="${address}"\n`)
    const { headline } = await readStage('prod', { folder, env: {} })
    expect(headline).toBe(`stage prod · ${said} (.env.prod)`)
  })

  test('says where file and environment differ, and when the database is the environment’s', async () => {
    await write('.env.prod', 'DATABASE_URL=https://a:b@one.example\nLIMITS=off\nCOMPRESS=1\n')
    await write('.env.ci', '')
    const env = { DATABASE_URL: 'https://a:b@two.example', LIMITS: 'user:1/1', COMPRESS: '1' }
    expect((await readStage('prod', { folder, env })).headline).toBe(
      'stage prod · database one.example (.env.prod; of DATABASE_URL, LIMITS the file’s value is taken, not the environment’s)',
    )
    expect((await readStage('ci', { folder, env })).headline).toBe(
      'stage ci · database two.example (the environment)',
    )
  })

  test('is asked for by name, with those there are', async () => {
    expect(await refusal(undefined)).toContain('cp .env.example .env.prod')
    await write('.env.example', '')
    await write('.env', 'DATABASE_URL=https://a:b@old.example\n')
    expect(await refusal(undefined)).toContain('rename it to .env.<stage>')
    await write('.env.prod', '')
    await write('.env.test', '')
    expect(await refusal(undefined)).toContain(
      'There is .env.prod (--stage prod), .env.test (--stage test). This machine is --stage local.',
    )
    expect(await refusal('shop')).toMatch(/^There is no \.env\.shop .*\.env\.prod \(--stage prod\)/)
    expect(await refusal('example')).toContain('not "example"')
    expect(await refusal('../prod')).toContain('not "../prod"')
  })

  test('never holds the deploying account, which would be ignored there', async () => {
    await write('.env.prod', 'TENCENTCLOUD_REGION=ap-shanghai\n')
    expect(await refusal('prod')).toContain('.env.prod sets TENCENTCLOUD_REGION')
  })

  test('takes no other database on the way', async () => {
    await write('.env.prod', '')
    expect(await refusal('prod', { database: 'sqlite::memory:' })).toContain(
      '--database goes with --stage local',
    )
  })
})

describe('stage local', () => {
  const hostile = {
    DATABASE_URL: 'https://a:b@deployed.example',
    TOKEN_KEYS: 'k1:deployed',
    SEALING_KEYS: 's1:deployed',
    LOOKUP_KEY: 'deployed',
    WECHAT_APPID: 'wx0123456789abcdef',
    WECHAT_SECRET: 'deployed',
    WECHAT_API_URL: 'https://api.example',
    LIMITS: 'off',
  }

  test('takes settings of the environment, and none of its addresses and secrets', () => {
    const { values, headline } = localStage({ env: hostile, folder: '/data' })
    expect(values).toEqual({ DATABASE_URL: 'sqlite:/data/dev.sqlite', LIMITS: 'off' })
    expect(headline).toMatch(
      /^stage local · database .*dev\.sqlite \(its own; DATABASE_URL of the environment is not used\)$/,
    )
  })

  test('works on the database it is told, and with the WeChat it is told', () => {
    const database = 'mysql://me:secret@10.0.0.3:3306/shop'
    const told = localStage({ env: hostile, database, wechat: 'https://api.weixin.qq.com' })
    expect(told.values).toEqual({
      DATABASE_URL: database,
      LIMITS: 'off',
      WECHAT_API_URL: 'https://api.weixin.qq.com',
      WECHAT_APPID: hostile.WECHAT_APPID,
      WECHAT_SECRET: hostile.WECHAT_SECRET,
    })
    expect(told.headline).toContain('database 10.0.0.3:3306 (--database')
    expect(() => localStage({ env: {}, wechat: 'https://api.weixin.qq.com' })).toThrow(
      '--wechat needs WECHAT_APPID and WECHAT_SECRET',
    )
  })
})
