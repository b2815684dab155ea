import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Command, startScript } from '../support/local-command.ts'

/** The maintenance commands as an operator runs them, on a database file of their own. */
let folder: string
let own: string[]
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-commands-'))
  own = ['--stage', 'local', '--database', `sqlite:${path.join(folder, 'ops.sqlite')}`]
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function run(
  name: string,
  args: string[] = [],
): Promise<{ code: number | null; output: string }> {
  const command: Command = startScript(name, args)
  return { code: await command.exited, output: command.output() }
}

describe('an operator', () => {
  test('sees what a migration would do, migrates once, and is told that nothing is left', async () => {
    expect(await run('migrate.ts', ['--pending', ...own])).toMatchObject({ code: 1 })
    const first = await run('migrate.ts', own)
    expect(first.code).toBe(0)
    expect(first.output).toContain('0001-ratings.sql: statement 1 of 4')
    const then = await run('migrate.ts', ['--pending', ...own])
    expect(then.code).toBe(0)
    expect(then.output).toMatch(/^stage local · database \S+ops\.sqlite \(--database\)\n$/)
    expect((await run('migrate.ts', own)).output).toContain('Nothing to apply')
  })

  test('can print all statements for a deploy request', async () => {
    const { code, output } = await run('migrate.ts', ['--print'])
    expect(code).toBe(0)
    expect(output).toMatch(
      /create table if not exists schema_migrations[\s\S]*-- 0001-ratings\.sql[\s\S]*ratings_once/,
    )
  })

  test.each([
    ['counts.ts', ['verify'], 0, /verify: 0 accounts/],
    ['counts.ts', ['rebuild'], 0, /rebuild: 0 accounts/],
    ['counts.ts', ['fold'], 0, /fold: 0 accounts/],
    ['counts.ts', [], 1, /Usage: npm run counts/],
    ['counts.ts', ['nonsense'], 1, /Usage: npm run counts/],
    ['retention.ts', ['--older-than', '365d'], 0, /Deleted 0 ratings older than 365 days/],
    ['retention.ts', ['--older-than', '365d', '--dry-run'], 0, /0 ratings are older/],
    ['retention.ts', ['--older-than', 'yesterday'], 1, /--older-than needs a number of days/],
    ['retention.ts', ['--older', '1d'], 1, /Unknown option '--older'/],
    ['retention.ts', ['365d'], 1, /Unexpected argument '365d'.*--help explains/],
    ['sessions.ts', ['end-all'], 0, /Ended 0 sessions of 0 people/],
    ['sessions.ts', ['end-all', '--dry-run'], 0, /There are 0 sessions/],
    ['sessions.ts', [], 1, /Usage: npm run sessions/],
    ['sessions.ts', ['end'], 1, /Usage: npm run sessions/],
    ['audit.ts', ['--since', '7d'], 0, /^0 rows of the last 7 days/m],
    ['audit.ts', ['--person', 'me'], 1, /--person needs the id of a user/],
    ['build.ts', ['--store', 'oracle'], 1, /--store is planetscale or mysql/],
    ['build.ts', ['--store', 'mysql', '--stage', 'local'], 1, /--stage or --store, not both/],
  ])('%s %j exits with %i and says so', async (name, args, code, pattern) => {
    const result = await run(name, name === 'build.ts' ? args : [...args, ...own])
    expect(result.output).toMatch(pattern)
    expect(result.code).toBe(code)
  })

  test.each([
    'migrate.ts',
    'counts.ts',
    'retention.ts',
    'sessions.ts',
    'audit.ts',
    'build.ts',
    'invoke.ts',
    'openapi.ts',
    'bench.ts',
    'doctor.ts',
    'init.ts',
    'keys.ts',
    'mysql.ts',
    'wechat.ts',
    'drills.ts',
    'probe.ts',
  ])('%s --help says how it is used', async (name) => {
    const { code, output } = await run(name, ['--help'])
    expect(code).toBe(0)
    expect(output).toMatch(/Usage: /)
  })

  test.each([
    ['init.ts', ['--stage', 'example'], /--stage NAME: how the deployment is called/],
    ['init.ts', ['--stage', 'new', '--appid', 'x'], /WECHAT_APPID should be the AppID/],
    ['keys.ts', ['add', 'TOKEN_KEYS', '--stage', 'local'], /it is not deployed/],
  ])('%s %j says what is wrong, and writes nothing', async (name, args, says) => {
    const { code, output } = await run(name, args)
    expect(code).toBe(1)
    expect(output).toMatch(says)
  })

  test('a database that is not there is one sentence and exit code 1', async () => {
    const address = 'mysql://u:secret-word@127.0.0.1:1/db'
    const command = startScript('migrate.ts', ['--stage', 'local', '--database', address])
    expect(await command.exited).toBe(1)
    expect(command.output()).toContain('stage local · database 127.0.0.1:1 (--database)')
    expect(command.output()).toContain(
      'The database of stage local cannot be used: database unreachable',
    )
    expect(command.output()).not.toContain('secret-word')
  })
})
