/**
 * Ratings made up for measuring: the same ones for the same numbers, account by account and each account's
 * oldest first, which is the order they are stored in. One account is busy, the others have some twenty each.
 * No I/O, no clock.
 */

export interface GeneratedRating {
  acc_nbr: string
  /** 16 bytes, a UUIDv7 of `insertTimeMs`. */
  id: Buffer
  userId: Buffer
  grade1: number
  grade2: number
  grade3: number
  txt1: string
  txt2: string
  txt3: string
  insertTimeMs: number
}

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

/** An author with three ratings of the busy account, as far apart as can be. */
export const rareAuthor = authorId(0)

/** How many of `rows` the busy account gets. */
export function hotRows({ rows, hotShare }: GeneratorOptions): number {
  return Math.max(3, Math.round(rows * hotShare))
}

/** All of them; `rows` in number. */
export function* generateRatings(options: GeneratorOptions): Generator<GeneratedRating> {
  const { rows } = options
  const busy = hotRows(options)
  const authors = Math.max(2, Math.floor(rows / RATINGS_PER_AUTHOR))
  for (let index = 0; index < busy; index++) {
    const isRare = index === 0 || index === busy - 1 || index === Math.floor(busy / 2)
    yield hotRating(index, busy, isRare ? rareAuthor : authorId(otherAuthor(index, authors)))
  }
  for (let index = 0; index < rows - busy; index++) {
    const account = Math.floor(index / RATINGS_PER_ACCOUNT)
    const share = (index % RATINGS_PER_ACCOUNT) / RATINGS_PER_ACCOUNT
    const acc_nbr = String(13_900_000_000 + account)
    // Two ratings of other accounts for the rare author as well.
    const isRare = index === 0 || index === RATINGS_PER_ACCOUNT
    const userId = isRare ? rareAuthor : authorId(otherAuthor(busy + index, authors))
    yield rating(acc_nbr, busy + index, FIRST_MS + Math.floor(SPAN_MS * share) + account, userId)
  }
}

/** The id of the busy account's rating in the middle, where a page deep in the past begins. */
export function middleId(options: GeneratorOptions): Buffer {
  const busy = hotRows(options)
  const index = Math.floor(busy / 2)
  return hotRating(index, busy, rareAuthor).id
}

function hotRating(index: number, busy: number, userId: Buffer): GeneratedRating {
  return rating(hotAccount, index, FIRST_MS + Math.floor((SPAN_MS * index) / busy), userId)
}

function rating(
  acc_nbr: string,
  number: number,
  insertTimeMs: number,
  userId: Buffer,
): GeneratedRating {
  const random = scramble(number)
  const text = (turn: number): string => TEXTS[(random >>> turn) % TEXTS.length] ?? ''
  return {
    acc_nbr,
    id: uuidV7(insertTimeMs, number),
    userId,
    grade1: 1 + (random % 5),
    grade2: 1 + ((random >>> 8) % 5),
    grade3: 1 + ((random >>> 16) % 5),
    txt1: text(4),
    txt2: text(12),
    txt3: text(20),
    insertTimeMs,
  }
}

function otherAuthor(number: number, authors: number): number {
  return 1 + (scramble(number ^ 0x5bd1e995) % (authors - 1))
}

/** Authors began one after the other, in an order that says nothing of their ratings. */
function authorId(author: number): Buffer {
  return uuidV7(FIRST_MS - SPAN_MS + (scramble(author) % SPAN_MS), author)
}

/** `number` makes it unique, also within a millisecond. */
function uuidV7(timeMs: number, number: number): Buffer {
  const id = Buffer.alloc(16)
  id.writeUIntBE(timeMs, 0, 6)
  id.writeUInt16BE(0x7000 | (scramble(number) & 0xfff), 6)
  id.writeUInt32BE(number >>> 0, 8)
  id[8] = 0x80 | ((id[8] ?? 0) & 0x3f)
  id.writeUInt32BE(scramble(number ^ 0xc2b2ae35), 12)
  return id
}

/** 32 bits that look random; the finaliser of MurmurHash3, which never gives two numbers the same. */
function scramble(number: number): number {
  let bits = (number + 0x9e3779b9) | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
