import { expect, test } from 'vitest'
import { define } from '../../../scripts/database/definitions.ts'
import { DbError } from '../../../shared/store/db.ts'

const WHOLE = `alter table users
  add column left_at bigint null,
  add column name varchar(9) character set ascii collate ascii_bin null,
  add key users_who_left (left_at, name)`

/** A server that answers each statement with what `errnoOf` says of it, and what it was sent. */
function server(errnoOf: (sql: string) => number | undefined) {
  const sent: string[] = []
  return {
    sent,
    async query(sql: string) {
      sent.push(sql)
      const errno = errnoOf(sql)
      if (errno !== undefined) throw new DbError('refused', { errno, outcome: 'none' })
      return { rows: [], rowsAffected: 0 }
    },
  }
}

const parts = [
  'alter table users add column left_at bigint null',
  'alter table users add column name varchar(9) character set ascii collate ascii_bin null',
  'alter table users add key users_who_left (left_at, name)',
]

test('an ALTER goes as a whole where the server takes it', async () => {
  const db = server(() => undefined)
  await define(db, WHOLE)
  expect(db.sent).toEqual([WHOLE])
})

test('where a key of a new column is refused, as by TiDB, it goes part by part', async () => {
  const db = server((sql) => (sql === WHOLE ? 1072 : undefined))
  await define(db, WHOLE)
  expect(db.sent).toEqual([WHOLE, ...parts])
})

test('cut off between two parts, it is continued: what is there already is passed over, the rest is applied', async () => {
  const db = server((sql) => (sql === WHOLE || sql === parts[0] ? 1060 : undefined))
  await define(db, WHOLE)
  expect(db.sent).toEqual([WHOLE, ...parts])
})

test.each([
  ['a key of a column that nobody adds', 'alter table users add key k (nothing)', 1072],
  ['what is no repetition', WHOLE, 1064],
])('%s is refused', async (_what, sql, errno) => {
  await expect(
    define(
      server(() => errno),
      sql,
    ),
  ).rejects.toMatchObject({ errno })
})
