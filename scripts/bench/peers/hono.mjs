// Hono with jose and valibot, the modern way: one app, its requests and answers those of fetch, bundled to one file.
import { Hono } from 'hono'
import { jwtVerify } from 'jose'
import { createPool } from 'mysql2/promise'
import { v7 as newId, parse, stringify } from 'uuid'
import * as v from 'valibot'

const secret = new TextEncoder().encode(process.env.JWT_SECRET)
const pool = createPool({ uri: process.env.DATABASE_URL, connectionLimit: 1 })

const account = v.pipe(v.string(), v.regex(/^[0-9]{5,20}$/))
const grade = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5))
const text = v.pipe(v.string(), v.maxLength(500))
const Rating = v.object({
  acc_nbr: account,
  grade1: grade,
  grade2: grade,
  grade3: grade,
  txt1: text,
  txt2: text,
  txt3: text,
})
const Query = v.object({ acc_nbr: account })

const app = new Hono()

app.use(async (c, next) => {
  const [, token = ''] = (c.req.header('authorization') ?? '').split(' ')
  try {
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] })
    c.set('userId', Buffer.from(parse(payload.sub)))
  } catch {
    return c.json({ message: '请重新登录' }, 401)
  }
  await next()
})

app.post('/score', async (c) => {
  const { success, output } = v.safeParse(Rating, await c.req.json())
  if (!success) return c.json({ message: '数据有误' }, 400)
  const { acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3 } = output
  const id = newId()
  await pool.execute(
    `INSERT INTO ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      acc_nbr,
      Buffer.from(parse(id)),
      c.get('userId'),
      grade1,
      grade2,
      grade3,
      txt1,
      txt2,
      txt3,
      Date.now(),
    ],
  )
  return c.json({ id, message: '数据提交成功' })
})

app.post('/query', async (c) => {
  const { success, output } = v.safeParse(Query, await c.req.json())
  if (!success) return c.json({ message: '数据有误' }, 400)
  const [rows] = await pool.execute(
    `SELECT id, acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3, insert_time FROM ratings
     WHERE acc_nbr = ? AND user_id = ? ORDER BY id DESC LIMIT 20`,
    [output.acc_nbr, c.get('userId')],
  )
  const items = rows.map((row) => ({
    ...row,
    id: stringify(row.id),
    insert_time: new Date(row.insert_time).toISOString(),
  }))
  return c.json({ items })
})

export async function main_handler({ httpMethod: method, path, headers, body }) {
  const request = new Request(`https://${headers.host}${path}`, { method, headers, body })
  const response = await app.fetch(request)
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  }
}
