import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import { createCodeClaimStore } from '../../../shared/store/code-claims.ts'
import { type Db, DbError } from '../../../shared/store/db.ts'
import { type Door, doors } from '../../support/store-doors.ts'

let door: Door
beforeAll(async () => {
  const [embedded] = doors
  if (!embedded) throw new Error('there is no door')
  door = await embedded.open()
  await migrate(door.db, { migrations: await readMigrations() })
})
afterAll(() => door?.close())

test('a code is claimed by who sent it although the answer to that was lost', async () => {
  let toLose = 1
  const query: Db['query'] = async (...asked) => {
    const result = await door.db.query(...asked)
    if (toLose-- > 0) throw new DbError('unreachable', { outcome: 'unknown' })
    return result
  }
  const claims = createCodeClaimStore({ ...door.db, query })
  const digest = randomBytes(32)
  const claim = { nonceDigest: randomBytes(32), atMs: 5 }
  expect(await claims.claim(digest, claim)).toBeUndefined()
  toLose = 1
  expect(await claims.claim(randomBytes(32), claim)).toBeUndefined()
  // What another request claimed stays that one's, of the same device or not.
  for (const other of [
    { ...claim, atMs: 6 },
    { ...claim, nonceDigest: randomBytes(32) },
  ]) {
    expect(await claims.claim(digest, other)).toMatchObject({ claimedAtMs: 5, userId: null })
  }
})

test('a code that was not claimed, as far as can be seen, is nobody’s', async () => {
  const query: Db['query'] = async (sql, values) => {
    if (sql.startsWith('insert')) throw new DbError('timeout', { outcome: 'unknown' })
    return door.db.query(sql, values)
  }
  const claims = createCodeClaimStore({ ...door.db, query })
  const claim = { nonceDigest: randomBytes(32), atMs: 5 }
  await expect(claims.claim(randomBytes(32), claim)).rejects.toThrow(DbError)
})
