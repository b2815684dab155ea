/**
 * What the floor does of a submission and of a query: one prepared statement on mysql2, no token, no checks. Variables:
 * DATABASE_URL, CONNECTIONS, USER_ID (hex, whose ratings are read and written).
 */

import { randomBytes } from 'node:crypto'
import { createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'

const { DATABASE_URL = '', CONNECTIONS = '1', USER_ID = '' } = process.env
const userId = Buffer.from(USER_ID, 'hex')
const pool = createPool({
  uri: DATABASE_URL,
  connectionLimit: Number(CONNECTIONS),
  charset: 'UTF8MB4_BIN',
})

const INSERT = `insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const SELECT = `select id, acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3, insert_time from ratings use index (ratings_once)
  where acc_nbr = ? and user_id = ? order by id desc limit 20`

async function submit(rating: Record<string, string | number>): Promise<object> {
  const id = newId()
  const {
    acc_nbr = '',
    grade1 = 0,
    grade2 = 0,
    grade3 = 0,
    txt1 = '',
    txt2 = '',
    txt3 = '',
  } = rating
  const texts = [txt1, txt2, txt3]
  const key = `=${id.toString('hex')}`
  const values = [acc_nbr, id, userId, grade1, grade2, grade3, ...texts, Date.now(), key, id]
  const [{ affectedRows }] = await pool.execute<ResultSetHeader>(INSERT, values)
  return { id: id.toString('hex'), affectedRows }
}

async function query({ acc_nbr = '' }: Record<string, string | number>): Promise<object> {
  const [rows] = await pool.execute<RowDataPacket[]>(SELECT, [acc_nbr, userId])
  const items = rows.map((row) => ({ ...row, id: (row.id as Buffer).toString('hex') }))
  return { items, next: null }
}

/** Answers a request by its path. */
export function answerTo(path: string, input: Record<string, string | number>): Promise<object> {
  return path === '/score' ? submit(input) : query(input)
}

/** Time and chance, as in a UUIDv7. */
function newId(): Buffer {
  const id = randomBytes(16)
  id.writeUIntBE(Date.now(), 0, 6)
  return id
}
