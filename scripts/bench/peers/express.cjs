// Express with jsonwebtoken on the platform, as its own Express component deploys it: the app listens on a socket of the instance,
// and every event becomes a request to that. Not bundled.
const express = require('express')
const jwt = require('jsonwebtoken')
const mysql = require('mysql2/promise')
const serverless = require('tencent-serverless-http')
const uuid = require('uuid')

const pool = mysql.createPool({ uri: process.env.DATABASE_URL, connectionLimit: 1 })
const app = express()
app.use(express.json())
app.use(express.urlencoded({ extended: true }))

app.use((request, response, next) => {
  const [, token] = (request.headers.authorization ?? '').split(' ')
  try {
    request.userId = Buffer.from(uuid.parse(jwt.verify(token, process.env.JWT_SECRET).sub))
    next()
  } catch {
    response.status(401).json({ message: '请重新登录' })
  }
})

const isGrade = (grade) => Number.isInteger(grade) && grade >= 1 && grade <= 5
const isText = (text) => typeof text === 'string' && text.length <= 500

app.post('/score', async (request, response) => {
  const { acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3 } = request.body
  const isValid =
    /^[0-9]{5,20}$/.test(acc_nbr) &&
    [grade1, grade2, grade3].every(isGrade) &&
    [txt1, txt2, txt3].every(isText)
  if (!isValid) return response.status(400).json({ message: '数据有误' })
  const id = uuid.v7()
  await pool.execute(
    `INSERT INTO ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      acc_nbr,
      Buffer.from(uuid.parse(id)),
      request.userId,
      grade1,
      grade2,
      grade3,
      txt1,
      txt2,
      txt3,
      Date.now(),
    ],
  )
  response.json({ id, message: '数据提交成功' })
})

app.post('/query', async (request, response) => {
  const { acc_nbr } = request.body
  if (!/^[0-9]{5,20}$/.test(acc_nbr)) return response.status(400).json({ message: '数据有误' })
  const [rows] = await pool.execute(
    `SELECT id, acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3, insert_time FROM ratings
     WHERE acc_nbr = ? AND user_id = ? ORDER BY id DESC LIMIT 20`,
    [acc_nbr, request.userId],
  )
  const items = rows.map((row) => ({
    ...row,
    id: uuid.stringify(row.id),
    insert_time: new Date(row.insert_time).toISOString(),
  }))
  response.json({ items })
})

const server = serverless.createServer(app)
exports.main_handler = (event, context) =>
  serverless.proxy(server, event, context, 'PROMISE').promise
