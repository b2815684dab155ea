import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import { checkDatabase, judgePlace } from '../../../scripts/doctor/database.ts'
import { unreachable, whyRefused } from '../../../scripts/doctor/database-failures.ts'
import { judgeSettings, type ServerSettings } from '../../../scripts/doctor/database-settings.ts'
import { judgeGrants } from '../../../scripts/doctor/database-user.ts'
import { expectedColumns } from '../../../scripts/doctor/expected-columns.ts'
import type { Finding } from '../../../scripts/doctor/report.ts'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../../scripts/simulators/planetscale/sqlite-engine.ts'
import { DbError } from '../../../shared/store/db.ts'
import { openDb } from '../../../shared/wiring/database.ts'
import { idsOf, serviceWith, wordsOf } from '../../support/doctor-scene.ts'
import { describeOnOwnServers, describeOnServers } from '../../support/server-suites.ts'

function check(url: string, options?: Parameters<typeof checkDatabase>[1]): Promise<Finding[]> {
  return checkDatabase(serviceWith({ DATABASE_URL: url }), options)
}

/** Runs statements at `url`, as an operator might have. */
async function prepare(url: string, ...statements: string[]): Promise<void> {
  // Not by the stores' door: MySQL prepares no ALTER DATABASE.
  const connection = await createConnection({ uri: url })
  try {
    for (const statement of statements) await connection.query(statement)
  } finally {
    await connection.end()
  }
}

async function migrated(url: string): Promise<string> {
  const db = await openDb(url)
  try {
    await migrate(db, { migrations: await readMigrations() })
  } finally {
    await db.close()
  }
  return url
}

function changed(
  url: string,
  parts: Partial<Pick<URL, 'username' | 'password' | 'pathname'>>,
): string {
  return Object.assign(new URL(url), parts).href.replace(/\/$/, '')
}

/** A label over 63 letters: refused before anybody is asked. */
const unknownName = `${'a'.repeat(64)}.invalid`

const allWell = ['ok database.reachable', 'ok database.settings', 'ok database.migrations']

describe('a database that cannot be reached', () => {
  test('says which part of the way is missing', async () => {
    const [unknown, closed, none] = await Promise.all([
      check(`mysql://u:canary@${unknownName}:3306/x`),
      check('mysql://u:canary@127.0.0.1:1/x'),
      checkDatabase(serviceWith({ DATABASE_URL: '' })),
    ])
    expect(idsOf(unknown)).toEqual(['error database.unreachable'])
    expect(wordsOf(unknown)).toMatch(/DNS/)
    expect(idsOf(closed)).toEqual(['error database.unreachable'])
    expect(wordsOf(closed)).toContain('nothing listens on that port')
    expect(idsOf(none)).toEqual(['skipped database.none'])
    expect(wordsOf([...unknown, ...closed])).not.toContain('canary')
  })

  test('a server that says nothing ends within the deadline', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : 0
    const findings = await check(`mysql://u:p@127.0.0.1:${port}/x`, { deadlineMs: 200 })
    expect(idsOf(findings)).toEqual(['error database.unreachable'])
    expect(wordsOf(findings)).toContain('no answer in time')
    silent.close()
  })

  test.each<[string, RegExp]>([
    ['mysql://u:p@host', /里没有库名/],
    ['mysql://u:p@host/x?sslmode=on', /不认识的参数/],
    ['mysql://u:p%zz@host/x', /password 部分没有正确地百分号编码/],
    ['https://u:p%40@host', /不能有需要百分号编码的字符/],
    ['https://host', /没有用户名/],
  ])('%s is refused by its spelling', async (url, zh) => {
    const [finding] = (await check(url)) as [Finding]
    expect(finding).toMatchObject({ id: 'database.url', severity: 'error' })
    expect(finding.zh).toMatch(zh)
  })

  test('in a private network is an error without vpcConfig and expected with it', () => {
    const within = { isEncrypted: false, hasVpc: true }
    const without = { isEncrypted: false, hasVpc: false }
    for (const address of ['10.0.0.9', '172.31.0.1', '192.168.1.1', '100.64.0.1', 'fd00::1']) {
      expect(idsOf(judgePlace(address, without))).toEqual(['error database.private-network'])
      expect(judgePlace(address, within)).toEqual([])
    }
    for (const address of ['203.0.113.9', '172.32.0.1', '2001:db8::1']) {
      expect(idsOf(judgePlace(address, without))).toEqual(['warning database.unencrypted'])
      expect(judgePlace(address, { ...without, isEncrypted: true })).toEqual([])
    }
    expect(judgePlace('127.0.0.1', without)).toEqual([])
    const expected = unreachable('DEADLINE', { isPrivate: true, hasVpc: true })
    expect(expected).toMatchObject({ severity: 'warning' })
    expect(expected.todo?.en).toContain('this is normal from here')
    const silent = new DbError('timeout', { outcome: 'none' })
    expect(whyRefused(silent, { isPrivate: true, hasVpc: true }).severity).toBe('warning')
    expect(whyRefused(silent).severity).toBe('error')
  })

  test.each([
    [1130, 'database.host-denied'],
    [1040, 'database.too-many-connections'],
    [1226, 'database.too-many-connections'],
    [9999, 'database.refused'],
  ])('errno %i has its own words', (errno, id) => {
    const finding = whyRefused(new DbError('refused', { errno, outcome: 'none' }))
    expect(finding).toMatchObject({ id, severity: 'error' })
    expect(finding.todo?.zh).not.toBe(finding.todo?.en)
  })
})

describe('a PlanetScale', () => {
  let planetScale: OfflinePlanetScale
  beforeAll(async () => {
    planetScale = await startOfflinePlanetScale({ engine: await openSqliteEngine(':memory:') })
  })
  afterAll(() => planetScale.close())

  test('without tables misses every migration, and with them is well', async () => {
    const before = await check(planetScale.url)
    expect(idsOf(before).at(-1)).toBe('error database.migrations')
    const names = (await readMigrations()).map(({ name }) => name)
    expect(before.at(-1)?.zh).toContain(names.join('、'))
    expect(before.at(-1)?.todo?.en).toContain('npm run migrate')
    expect(idsOf(await check(await migrated(planetScale.url)))).toEqual(allWell)
  })

  test('that refuses the password, fails, or is something else, is told apart', async () => {
    const wrong = changed(planetScale.url, { password: 'canary' })
    const refused = await check(wrong)
    expect(idsOf(refused)).toEqual(['error database.password'])
    expect(wordsOf(refused)).not.toContain('canary')
    planetScale.faults.add({ kind: 'http-error', status: 502 })
    expect(idsOf(await check(planetScale.url))).toEqual(['error database.protocol'])
    planetScale.faults.clear()
  })
})

test.each<[string, string[], RegExp | undefined]>([
  [
    'all',
    ['GRANT ALL PRIVILEGES ON *.* TO `u`@`%` WITH GRANT OPTION'],
    /: ALL PRIVILEGES, GRANT OPTION$/,
  ],
  [
    'some',
    ['GRANT USAGE ON *.* TO `u`', 'GRANT SELECT, ALTER, DROP ON `x`.* TO `u`'],
    /: ALTER, DROP$/,
  ],
  ['columns', ['GRANT SELECT (`a`, `b`), INSERT ON `x`.`y` TO `u`'], undefined],
  ['a role', ['GRANT `role`@`%` TO `u`@`%`'], undefined],
  ['what functions do', ['GRANT SELECT, INSERT, UPDATE, DELETE ON `x`.* TO `u`'], undefined],
])(
  'a user that may do %s: what is too much is named, and no name of a user',
  (_what, grants, said) => {
    const [finding] = judgeGrants(grants)
    if (said) expect(finding?.en).toMatch(said)
    else expect(finding).toBeUndefined()
  },
)

describeOnServers('a database', ({ adminUrl, freshDatabase }) => {
  test('with everything in order is well, and a user that may do more than functions need is warned of', async () => {
    const url = await migrated(await freshDatabase())
    const findings = await check(url)
    expect(idsOf(findings)).toEqual([
      'ok database.reachable',
      'warning database.user',
      ...allWell.slice(1),
    ])
    const user = `plain${randomBytes(4).toString('hex')}`
    await prepare(
      adminUrl,
      `create user ${user}@'%' identified by 'Plain-words-9'`,
      `grant select, insert, update, delete on ${new URL(url).pathname.slice(1)}.* to ${user}@'%'`,
    )
    const plain = await check(changed(url, { username: user, password: 'Plain-words-9' }))
    await prepare(adminUrl, `drop user ${user}@'%'`)
    expect(idsOf(plain)).toEqual(allWell)
  })

  test('with a migration pending or changed since is found', async () => {
    const url = await migrated(await freshDatabase())
    const last = (await readMigrations()).at(-1)
    await prepare(url, `delete from schema_migrations where version = ${last?.version}`)
    const pending = await check(url)
    expect(pending.at(-1)).toMatchObject({ id: 'database.migrations', severity: 'error' })
    expect(pending.at(-1)?.en).toBe(`migrations not applied yet: ${last?.name}`)
    await prepare(url, "update schema_migrations set checksum = 'other' where version = 1")
    const edited = await check(url)
    expect(edited.at(-1)?.zh).toMatch(/^0001-\S+ 在执行之后被改过$/)
  })

  test('whose identifiers no longer compare byte by byte is found, by column', async () => {
    const url = await migrated(await freshDatabase())
    await prepare(
      url,
      'alter table users modify openid varchar(64) character set utf8mb4 collate utf8mb4_general_ci not null',
    )
    const columns = (await check(url)).filter(({ id }) => id === 'database.columns')
    expect(columns).toHaveLength(1)
    expect(columns[0]?.en).toMatch(/: users\.openid \(ascii_bin\)$/)
  })

  test('with another character set is found', async () => {
    const url = await migrated(await freshDatabase())
    await prepare(url, 'alter database character set latin1')
    const findings = await check(url)
    expect(idsOf(findings)).toContain('error database.charset')
    expect(wordsOf(findings)).toContain('latin1')
  })

  test('that refuses user or password, or has no such database, is told apart', async () => {
    const url = await freshDatabase()
    const [password, name, protocol] = await Promise.all([
      check(changed(url, { password: 'canary' })),
      check(changed(url, { pathname: '/canary_missing' })),
      check(url.replace(/^mysql:/, 'http:').replace(/\/[^/]*$/, '')),
    ])
    expect(idsOf(password)).toEqual(['error database.password'])
    expect(idsOf(name)).toEqual(['error database.unknown-database'])
    expect(idsOf(protocol)).toEqual(['error database.handshake'])
    expect(wordsOf(protocol)).toContain('mysql:// is for MySQL')
    expect(wordsOf([...password, ...name])).not.toContain('canary')
  })
})

describeOnOwnServers(
  'a database set up carelessly',
  (server) => {
    test('is told its sql_mode, its risk at a power cut, and a user’s missing rights', async () => {
      const findings = await check(await migrated(server().url))
      expect(idsOf(findings)).toEqual([
        'ok database.reachable',
        'warning database.user',
        'error database.sql_mode',
        'warning database.flush',
        'ok database.migrations',
      ])
      expect(wordsOf(findings)).toContain('没有 STRICT_TRANS_TABLES')
      await prepare(server().url, "create user 'guest'@'%' identified by 'canary'")
      const guest = await check(changed(server().url, { username: 'guest', password: 'canary' }))
      expect(idsOf(guest)).toEqual(['error database.database-denied'])
    })

    test('and once it is down, that nothing listens', async () => {
      await server().kill()
      expect(wordsOf(await check(server().url))).toContain('nothing listens on that port')
    })
  },
  { serverOptions: ['--sql-mode=NO_BACKSLASH_ESCAPES', '--innodb-flush-log-at-trx-commit=2'] },
)

describe('what a server says of itself', () => {
  const sound: ServerSettings = {
    'session.sql_mode': 'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY',
    'global.sql_mode': 'STRICT_ALL_TABLES',
    character_set_database: 'utf8mb4',
    character_set_client: 'utf8mb4',
    character_set_connection: 'utf8mb4',
    character_set_results: 'utf8mb4',
    innodb_flush_log_at_trx_commit: '1',
    innodb_lock_wait_timeout: '2',
  }
  const untold = Object.fromEntries(Object.keys(sound).map((name) => [name, undefined]))

  test.each<[string, Partial<ServerSettings>, string[]]>([
    ['sound', {}, ['ok database.settings']],
    ['not told', untold, ['ok database.settings']],
    ['sessions not strict', { 'session.sql_mode': '' }, ['error database.sql_mode']],
    [
      'strict, but backslashes are letters',
      { 'session.sql_mode': 'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES' },
      ['error database.sql_mode'],
    ],
    [
      'sessions in another character set',
      { character_set_connection: 'utf8mb3' },
      ['error database.charset-session'],
    ],
    ['a long wait for locks', { innodb_lock_wait_timeout: '50' }, ['warning database.lock-wait']],
  ])('%s', (_what, changes, ids) => {
    expect(idsOf(judgeSettings({ ...sound, ...changes }, 'mysql'))).toEqual(ids)
  })

  test('PlanetScale’s wait for locks is its own', () => {
    const settings = { ...sound, innodb_lock_wait_timeout: '50' }
    expect(idsOf(judgeSettings(settings, 'planetscale'))).toEqual(['ok database.settings'])
  })

  test('the collations expected are those of the migrations', async () => {
    const expected = expectedColumns(await readMigrations())
    expect(expected).toContainEqual({ column: 'identities.openid', collation: 'ascii_bin' })
    expect(expected).toContainEqual({ column: 'ratings.acc_nbr', collation: 'ascii_bin' })
    expect(expected).toContainEqual({ column: 'ratings.txt1', collation: 'utf8mb4_bin' })
    const statements = [
      'create table a (\n  x text character set utf8mb4 collate utf8mb4_bin,\n  n int not null\n) collate = ascii_bin',
      'alter table a\n  add column y varchar(9) character set ascii collate ascii_bin null',
    ]
    expect(expectedColumns([{ statements }])).toEqual([
      { column: 'a.x', collation: 'utf8mb4_bin' },
      { column: 'a.y', collation: 'ascii_bin' },
    ])
  })
})
