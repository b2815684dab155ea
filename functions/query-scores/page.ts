/** A page of ratings: its input fields, its cursor and its shape. */

import { stringify as bytesToUuid, parse as uuidToBytes } from 'uuid'
import * as v from 'valibot'
import { ratingColumns } from '../../shared/domain/rating.ts'
import type { Score, Slice } from '../../shared/ports.ts'

/** Ratings of a page unless the caller says otherwise. */
export const PAGE_DEFAULT = 20
/** More would be some 200 KB of answer. */
export const PAGE_MAX = 100

const limitMessage = `每页条数（limit）应为 1 到 ${PAGE_MAX} 的整数`

const Limit = v.pipe(
  v.number(limitMessage),
  v.integer(limitMessage),
  v.minValue(1, limitMessage),
  v.maxValue(PAGE_MAX, limitMessage),
)

/** A cursor is the id of a rating seen, in base64url; who may read what is decided anew at every page. */
function Cursor(name: string) {
  const message = `翻页标记（${name}）不正确`
  return v.nullable(
    v.pipe(
      v.string(message),
      v.check(
        (text) => text.length === 22 && bytesOf(text).toString('base64url') === text,
        message,
      ),
      v.transform((text) => bytesOf(text)),
      v.check((bytes) => bytes[6] !== undefined && bytes[6] >> 4 === 7, message),
      v.check((bytes) => bytes[8] !== undefined && bytes[8] >> 6 === 2, message),
      v.transform((bytes) => bytesToUuid(bytes)),
    ),
  )
}

/** Asks for nothing but what is newer than a page that was read before. */
export const sinceField = v.optional(Cursor('since'), null)

/** Page fields of a JSON or form body. */
export const pageFields = {
  cursor: v.optional(Cursor('cursor'), null),
  limit: v.optional(Limit, PAGE_DEFAULT),
}

/** Page fields of a query string, where a number arrives as text. */
export const pageParameters = {
  cursor: v.optional(Cursor('cursor'), null),
  limit: v.optional(
    v.pipe(
      v.string(limitMessage),
      v.regex(/^[0-9]{1,3}$/, limitMessage),
      v.transform(Number),
      Limit,
    ),
    String(PAGE_DEFAULT),
  ),
}

const Item = v.object({
  id: v.string(),
  acc_nbr: v.string(),
  ...ratingColumns,
  insert_time: v.string(),
})

const columnNames = Object.keys(ratingColumns) as (keyof typeof ratingColumns)[]

/** A page as it is answered; `next` is `null` on the last. */
export const Page = v.object({ items: v.array(Item), next: v.nullable(v.string()) })

/** Reads one rating more than asked for to learn whether there is a next page. */
export async function readPage(
  { cursor, since = null, limit }: { cursor: string | null; since?: string | null; limit: number },
  read: (slice: Slice) => Promise<Score[]>,
): Promise<v.InferOutput<typeof Page>> {
  const scores = await read({ before: cursor, after: since, limit: limit + 1 })
  const items = scores.slice(0, limit)
  const last = items.at(-1)
  return {
    items: items.map(itemOf),
    next: last && scores.length > limit ? encodeCursor(last.id) : null,
  }
}

function itemOf(score: Score): v.InferOutput<typeof Item> {
  const { id, acc_nbr } = score
  const item: Record<string, string | number | null> = { id, acc_nbr }
  // Member by member: copying a rating without one of them took longer than everything else about a page.
  for (const column of columnNames) item[column] = score[column]
  item.insert_time = new Date(score.insertTimeMs).toISOString()
  return item as v.InferOutput<typeof Item>
}

/** The cursor that stands for a rating. */
export function encodeCursor(id: string): string {
  return Buffer.from(uuidToBytes(id)).toString('base64url')
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64url')
}
