/**
 * The independent checker of the lost-writes drill: raw SQL on a connection of its own, past the proxy and
 * past the stores, against the clients' journal. It asks the server nothing but rows.
 */
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise'
import { stringify as bytesToUuid } from 'uuid'
import type { GradeCounts } from '../../shared/ports.ts'
import type { Entry } from './lost-writes-journal.ts'

/** What is wrong; all zero when the store kept its promises. */
export interface Findings {
  /** Submissions no request of which was ever acknowledged. */
  unanswered: number
  /** Acknowledged ids that are not in the table. */
  lost: number
  /** Submissions with more than one row. */
  doubled: number
  /** Rows that differ from what the client sent, or that nobody sent. */
  wrong: number
  /** Submissions whose requests were told different ids, or of a conflict. */
  unlike: number
  /** Removed ratings that are still there. */
  undeleted: number
}

type Rows = RowDataPacket[]

/** The exact state of one account in one moment, read by one statement. */
const MOMENT = `select f.counts,
  (select count(*) from ratings r where r.acc_nbr = f.acc_nbr and r.id > f.folded_through) as tail,
  (select coalesce(sum(r.grade1), 0) from ratings r where r.acc_nbr = f.acc_nbr and r.id > f.folded_through) as tail_sum,
  (select count(*) from ratings r where r.acc_nbr = f.acc_nbr) as total,
  (select coalesce(sum(r.grade1), 0) from ratings r where r.acc_nbr = f.acc_nbr) as total_sum
  from rating_folds f where f.acc_nbr = ?`

/** Reads a database past everything that is under test. Questions during a restart are answered `undefined`. */
export class RawChecker {
  readonly #url: string
  #connection: Promise<Connection> | undefined

  constructor(url: string) {
    this.#url = url
  }

  /** Whether folded counts plus tail are the rows, in count and in the sum of a grade; `undefined` before the first fold. */
  async isExactNow(account: string): Promise<boolean | undefined> {
    const [row] = (await this.#ask(MOMENT, [account])) ?? []
    if (!row) return undefined
    const { count, grades } = JSON.parse(String(row.counts)) as GradeCounts
    const sum = Object.entries(grades.grade1).reduce(
      (all, [grade, n]) => all + Number(grade) * n,
      0,
    )
    return (
      count + Number(row.tail) === Number(row.total) &&
      sum + Number(row.tail_sum) === Number(row.total_sum)
    )
  }

  /** How many rows an account has. */
  async rowCount(account: string): Promise<number | undefined> {
    const rows = await this.#ask('select count(*) as n from ratings where acc_nbr = ?', [account])
    return rows && Number(rows[0]?.n)
  }

  /** How many rows an account has of submissions that began by each of two times, in one moment. */
  async rowCountsUntil(
    account: string,
    [first, second]: [firstMs: number, secondMs: number],
  ): Promise<[number, number] | undefined> {
    const rows = await this.#ask(
      'select sum(insert_time <= ?) as a, sum(insert_time <= ?) as b from ratings where acc_nbr = ?',
      [first, second, account],
    )
    return rows && [Number(rows[0]?.a), Number(rows[0]?.b)]
  }

  /** Counts by grade, from the rows alone. */
  async counts(account: string): Promise<GradeCounts> {
    const rows = await this.#rows('select grade1, grade2, grade3 from ratings where acc_nbr = ?', [
      account,
    ])
    const tally = (name: string): Record<string, number> => {
      const counted: Record<string, number> = {}
      for (const row of rows) {
        if (row[name] !== null) counted[row[name]] = (counted[row[name]] ?? 0) + 1
      }
      return counted
    }
    return {
      count: rows.length,
      grades: { grade1: tally('grade1'), grade2: tally('grade2'), grade3: tally('grade3') },
    }
  }

  /** Whether the server writes its log at every commit; without that, surviving SIGKILL would say little. */
  async flushesAtCommit(): Promise<boolean> {
    const [row] = await this.#rows('select @@innodb_flush_log_at_trx_commit as flush')
    return Number(row?.flush) === 1
  }

  /** Every row against every submission. */
  async judge(entries: readonly Entry[]): Promise<Findings> {
    const found: Findings = {
      unanswered: 0,
      lost: 0,
      doubled: 0,
      wrong: 0,
      unlike: 0,
      undeleted: 0,
    }
    const rows = await this.#rows('select * from ratings')
    const byMarker = new Map<string, Rows>()
    for (const row of rows) byMarker.set(row.txt1, [...(byMarker.get(row.txt1) ?? []), row])
    for (const entry of entries) {
      const own = byMarker.get(entry.marker) ?? []
      byMarker.delete(entry.marker)
      if (own.length > 1) found.doubled++
      if (new Set(entry.answers).size > 1 || entry.answers.includes('conflict')) found.unlike++
      found.wrong += own.filter((row) => !isAsSent(row, entry)).length
      if (entry.removal === 'done' && own.length > 0) found.undeleted++
      if (entry.removal !== 'none') continue
      if (entry.answers.length < entry.sends) found.unanswered++
      const ids = own.map((row) => bytesToUuid(row.id))
      found.lost += entry.answers.filter((id) => !ids.includes(id)).length
    }
    for (const strangers of byMarker.values()) found.wrong += strangers.length
    return found
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined)
    connection?.destroy()
  }

  async #ask(sql: string, values: (string | number)[]): Promise<Rows | undefined> {
    return this.#rows(sql, values).catch(() => undefined)
  }

  async #rows(sql: string, values: (string | number)[] = []): Promise<Rows> {
    this.#connection ??= open(this.#url)
    try {
      const connection = await this.#connection
      const [rows] = await connection.execute<Rows>(sql, values)
      return rows
    } catch (error) {
      // The server was killed, most likely: the next question goes to the one that follows.
      await this.close()
      this.#connection = undefined
      throw error
    }
  }
}

async function open(url: string): Promise<Connection> {
  const connection = await createConnection({ uri: url, charset: 'utf8mb4_bin' })
  connection.on('error', () => undefined)
  return connection
}

/** Longer than an attempt goes on after it began: the store may have asked for the time anew. */
const ATTEMPT_MS = 10_000

function isAsSent(row: RowDataPacket, { content, sentMs }: Entry): boolean {
  const atMs = Number(row.insert_time)
  const { userId, idempotencyKey: _, ...columns } = content
  return (
    row.id.readUIntBE(0, 6) === atMs &&
    sentMs.some((beganMs) => atMs >= beganMs && atMs < beganMs + ATTEMPT_MS) &&
    bytesToUuid(row.user_id) === userId &&
    Object.entries(columns).every(([name, value]) => row[name] === value)
  )
}
