/** The newest rows of the local database as they are stored, for people to look at. */

import { type Db, DbError, type SqlRow } from '../../../shared/store/db.ts'
import type { Cell, Table } from './browser/told.ts'

const ROWS_MAX = 20

/** Which tables, and the order of their newest rows. */
const tables = {
  ratings: 'insert_time desc, id desc',
  users: 'last_login_at desc',
  sessions: 'last_used_at desc',
  phone_holders: 'bound_at desc',
}

/** Never throws: a table that cannot be read says why. */
export function readRows(db: Db): Promise<Table[]> {
  return Promise.all(
    Object.entries(tables).map(async ([name, order]) => {
      const statement = `select * from ${name} order by ${order} limit ${ROWS_MAX}`
      try {
        const { rows } = await db.query(statement)
        const columns = Object.keys(rows[0] ?? {})
        return {
          name,
          columns,
          rows: rows.map((row) => columns.map((column) => cellOf(row, column))),
        }
      } catch (error) {
        if (!(error instanceof DbError)) throw error
        return { name, columns: [], rows: [], problem: error.message }
      }
    }),
  )
}

const ID_BYTES = 16
const UUID_PARTS = /^(.{8})(.{4})(.{4})(.{4})/
const DIGEST_BYTES = 32
const TIME = /(_at|_time|_since)$/

function cellOf(row: SqlRow, column: string): Cell {
  const value = row[column]
  if (value === null || value === undefined) return { text: '–', kind: 'null' }
  if (value instanceof Uint8Array) {
    const hex = Buffer.from(value).toString('hex')
    if (value.length === ID_BYTES)
      return { text: hex.replace(UUID_PARTS, '$1-$2-$3-$4-'), kind: 'id' }
    if (value.length === DIGEST_BYTES) return { text: hex, kind: 'digest' }
    return { text: `sealed, ${value.length} bytes`, kind: 'sealed' }
  }
  // 0 stands for the beginning of time: a number held since ever.
  if (typeof value === 'number' && value > 0 && TIME.test(column)) {
    return { text: new Date(value).toISOString(), kind: 'time' }
  }
  return { text: String(value), kind: typeof value === 'number' ? 'number' : 'text' }
}
