/**
 * Ratings made up for measuring, by the database itself: the same ones for the same numbers, account by account and each
 * account's oldest first, which is the order they are stored in. One account is busy, the others have twenty each.
 */

export interface GeneratorOptions {
  rows: number
  /** Part of the rows that the busy account gets. */
  hotShare: number
}

export const hotAccount = '13800138000'

const RATINGS_PER_ACCOUNT = 20
const RATINGS_PER_AUTHOR = 5
/** Long ago: every rating here is old enough to be folded. */
const FIRST_MS = Date.UTC(2024, 0, 1)
const SPAN_MS = 700 * 24 * 60 * 60 * 1000
const TEXTS = [
  '师傅准时上门，态度很好，问题一次解决。',
  '等了很久才接通，客服说话客气，但是没有解决。',
  '价格比说好的高，下次不会再来',
  '很好',
  '一般般，没有想象中那么快，希望预约时间可以更灵活一些。',
  '',
  'Good service 👍',
]

/** An author with three ratings of the busy account, as far apart as can be, and two of others. */
export const rareAuthor = Buffer.from('018a0000000070008000000000000000', 'hex')

/** How many of `rows` the busy account gets. */
export function hotRows({ rows, hotShare }: GeneratorOptions): number {
  return Math.max(3, Math.round(rows * hotShare))
}

/** The id of the busy account's rating in the middle, where a page deep in the past begins. */
export function middleId(options: GeneratorOptions): Buffer {
  const busy = BigInt(hotRows(options))
  const index = busy / 2n
  const timeMs = BigInt(FIRST_MS) + (BigInt(SPAN_MS) * index) / busy
  const hex = (value: bigint, digits: number): string => value.toString(16).padStart(digits, '0')
  return Buffer.from(`${hex(timeMs, 12)}70008${hex(index, 15)}`, 'hex')
}

/** How many ratings one statement inserts. */
export const ROWS_PER_INSERT = 1000

const FIRST_ORDINARY_ACCOUNT = 13_900_000_000

/** The first of the accounts that have twenty ratings. */
export function ordinaryAccounts({ rows, hotShare }: GeneratorOptions, most: number): string[] {
  const count = Math.floor((rows - hotRows({ rows, hotShare })) / RATINGS_PER_ACCOUNT)
  return Array.from({ length: Math.min(count, most) }, (_, n) => `${FIRST_ORDINARY_ACCOUNT + n}`)
}

/** An account that is rated a thousand times a second. */
export const risingAccount = '13700137000'

/** Inserts its ratings from this number on, the newest of `count` at `untilMs`, one a millisecond. */
export function insertRisingStatement(
  from: number,
  { count, untilMs }: { count: number; untilMs: number },
): string {
  const dated = `select n, ${untilMs - count} + n as time_ms from (${numbersFrom(from)}) numbered where n < ${count}`
  return `insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash)
    select '${risingAccount}', unhex(concat(lpad(lower(hex(time_ms)), 12, '0'), '70009', lpad(lower(hex(n)), 15, '0'))),
      unhex(concat('018c000000007000a', left(sha2(n, 256), 15))), 1 + crc32(n) % 5, 4, 3, '${TEXTS[0]}', '', '', time_ms, null, null
    from (${dated}) dated order by n`
}

/** Inserts the ratings from this number on, counted from 0. Their ids are UUIDv7 of their time. */
export function insertStatement(from: number, options: GeneratorOptions): string {
  const busy = hotRows(options)
  const authors = Math.max(2, Math.floor(options.rows / RATINGS_PER_AUTHOR))
  const rare = [0, Math.floor(busy / 2), busy - 1, busy, busy + RATINGS_PER_ACCOUNT].join()
  const text = (shift: number): string =>
    `elt(1 + (random >> ${shift}) % ${TEXTS.length}, ${TEXTS.map((each) => `'${each}'`).join()})`
  const placed = `select n, crc32(n) as random, sha2(crc32(n + 1) % ${authors}, 256) as author,
      n - ${busy} as other, (n - ${busy}) div ${RATINGS_PER_ACCOUNT} as account
    from (${numbersFrom(from)}) numbered where n < ${options.rows}`
  const dated = `select placed.*, ${FIRST_MS} + if(other < 0, ${SPAN_MS} * n div ${busy},
      ${SPAN_MS} * (other % ${RATINGS_PER_ACCOUNT}) div ${RATINGS_PER_ACCOUNT} + account) as time_ms
    from (${placed}) placed`
  const identified = `select dated.*, concat(lpad(lower(hex(time_ms)), 12, '0'), '70008', lpad(lower(hex(n)), 15, '0')) as id
    from (${dated}) dated`
  return `insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash)
    select if(other < 0, '${hotAccount}', ${FIRST_ORDINARY_ACCOUNT} + account), unhex(id),
      if(n in (${rare}), x'${rareAuthor.toString('hex')}', unhex(concat('018b000000007000a', left(author, 15)))),
      1 + random % 5, 1 + (random >> 8) % 5, 1 + (random >> 16) % 5, ${text(4)}, ${text(12)}, ${text(20)},
      time_ms, null, null
    from (${identified}) identified order by n`
}

function numbersFrom(from: number): string {
  const digit = Array.from({ length: 10 }, (_, value) => `select ${value} as d`).join(' union all ')
  return `select ${from} + a.d + 10 * b.d + 100 * c.d as n from (${digit}) a, (${digit}) b, (${digit}) c`
}
