/**
 * The lost-writes drill: clients that retry until they are answered, readers that fold and count, and people
 * who leave, all at once, while the caller breaks network and database. What came of it is for the checker.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { v7 as uuidV7 } from 'uuid'
import type { RatingEraser, RatingStore } from '../../shared/ports.ts'
import { type Db, DbError } from '../../shared/store/db.ts'
import {
  type CountLimits,
  countLimits,
  deleteRatings,
  foldAccount,
} from '../../shared/store/folds.ts'
import { createRatingEraser } from '../../shared/store/rating-erasure.ts'
import { createRatingStore } from '../../shared/store/ratings.ts'
import { uuidToBytes } from '../../shared/store/rows.ts'
import { type Findings, RawChecker } from './lost-writes-checker.ts'
import {
  drillAccounts,
  type Entry,
  isSettled,
  planEntries,
  planEntry,
} from './lost-writes-journal.ts'
import { insertRatingAsBefore } from './stored-rating.ts'

/** Longest wait of the drill's doors for one statement. */
export const DRILL_TIMEOUT_MS = 1000
/** How long every session waits on the server, for a table and then for a row. */
const LOCK_WAITS_MS = 2 * 2000
/** Longer than a submission can take: its statement's deadline, then the waits on the server that nobody waits for. */
export const DRILL_FOLD_DELAY_MS = DRILL_TIMEOUT_MS + LOCK_WAITS_MS + 500
/** Clients that are not answered for this long after the last one was give up, and the drill has failed. */
const PATIENCE_MS = 20_000
/** Every so manieth submission is removed again. */
const REMOVED_EVERY = 17
const INSTANCES = 8

/** A broken server, or the real one where nothing is given. */
export interface Variant {
  submissions?: (db: Db, store: RatingStore) => Pick<RatingStore, 'addScore'>
  eraser?: (db: Db) => RatingEraser
  foldDelayMs?: number
}

export interface DrillOptions {
  /**
   * A function instance's door, through whatever disturbs it, with deadlines of `DRILL_TIMEOUT_MS`. Instance 0 may
   * be far from the database: it takes submissions only, which arrive late without holding up anybody else.
   */
  openDoor: (instance: number) => Db
  /** `mysql://` of the same database, undisturbed; migrated and empty. */
  directUrl: string
  submissions: number
  clients: number
  /** Mean pause of a client between two submissions. */
  thinkMs: number
  /** How long trouble may keep everybody from being answered. */
  outageMs?: number
  /** Told after every submission that was answered: the place for trouble. */
  onAnswered: (answered: number) => void
  /** Resolves when the last of the trouble is over: what was killed is back. */
  untilQuiet?: () => Promise<unknown>
  variant?: Variant
}

export interface DrillResult {
  findings: Findings & {
    /** Moments at which folded counts plus tail were not the rows. */
    inexactMoments: number
    /** Summaries that no state of the rows explains. */
    wrongSummaries: number
    /** Times at which ratings appeared that were sent longer ago than the fold delay: behind the mark, perhaps. */
    lateRows: number
  }
  /** Moments and summaries looked at, ratings folded and removed, requests that failed. */
  moments: number
  summaries: number
  folded: number
  removed: number
  retries: number
  /** The longest request: the drill is only fair while it is below the fold delay. */
  slowestMs: number
}

/** Runs the drill and has it checked. */
export async function runLostWritesDrill(options: DrillOptions): Promise<DrillResult> {
  const drill = new Drill(options)
  try {
    return await drill.run()
  } finally {
    await drill.close()
  }
}

/** How many rows there were of submissions that began by then. */
interface Settled {
  untilMs: number
  count: number
}

class Drill {
  readonly #options: DrillOptions
  readonly #checker: RawChecker
  readonly #doors: Db[]
  readonly #entries: Entry[] = []
  readonly #limits: CountLimits
  #giveUpAtMs = 0
  #isOver = false
  #answered = 0
  #removals = { begun: 0, underWay: 0 }
  #seen = {
    inexactMoments: 0,
    wrongSummaries: 0,
    lateRows: 0,
    moments: 0,
    summaries: 0,
    folded: 0,
    removed: 0,
    retries: 0,
    slowestMs: 0,
  }

  constructor(options: DrillOptions) {
    this.#options = options
    const foldDelayMs = options.variant?.foldDelayMs ?? DRILL_FOLD_DELAY_MS
    this.#limits = { ...countLimits, foldDelayMs, tailMax: 0 }
    this.#checker = new RawChecker(options.directUrl)
    this.#doors = Array.from({ length: INSTANCES }, (_, instance) => options.openDoor(instance))
  }

  async run(): Promise<DrillResult> {
    if (!(await this.#checker.flushesAtCommit())) throw new Error('the server does not flush')
    this.#renewPatience()
    const leavers = [await this.#fill(30), await this.#fill(30)]
    const lists = planEntries(this.#options.clients, this.#options.submissions)
    this.#entries.push(...lists.flat())
    const readers = [this.#read(), this.#read()]
    await Promise.all([
      ...lists.map((list, client) => this.#submitAll(list, client)),
      ...leavers.map((leaver) => this.#leave(leaver)),
    ]).finally(() => {
      this.#isOver = true
    })
    await Promise.all(readers)
    await this.#options.untilQuiet?.()
    await this.#compareCounts()
    const { inexactMoments, wrongSummaries, lateRows, ...seen } = this.#seen
    const found = await this.#checker.judge(this.#entries)
    return { findings: { ...found, inexactMoments, wrongSummaries, lateRows }, ...seen }
  }

  async close(): Promise<void> {
    this.#isOver = true
    for (const door of this.#doors) await door.close()
    await this.#checker.close()
  }

  /** Ratings of one person from an hour ago, before any trouble. */
  async #fill(count: number): Promise<Entry[]> {
    const userId = uuidV7()
    const entries = Array.from({ length: count }, (_, index) =>
      planEntry(`old-${userId}-${index}`, userId, index),
    )
    await Promise.all(
      entries.map(async (entry, index) => {
        const atMs = Date.now() - 3_600_000 + index
        entry.sentMs.push(atMs)
        await insertRatingAsBefore(this.#door(), atMs, entry.content)
      }),
    )
    this.#entries.push(...entries)
    return entries
  }

  async #submitAll(entries: readonly Entry[], client: number): Promise<void> {
    for (const [index, entry] of entries.entries()) {
      await pause(Math.random() * 2 * this.#options.thinkMs)
      await Promise.all(Array.from({ length: entry.sends }, () => this.#submit(entry)))
      this.#renewPatience()
      this.#options.onAnswered(++this.#answered)
      const isUnwanted = (index + client) % REMOVED_EVERY === 0
      if (isUnwanted && isSettled(entry)) await this.#remove(entry)
    }
  }

  #renewPatience(): void {
    this.#giveUpAtMs = Date.now() + PATIENCE_MS + (this.#options.outageMs ?? 0)
  }

  /** One request, sent again under the same key until it is answered; each time, another instance may take it. */
  async #submit(entry: Entry): Promise<void> {
    while (Date.now() < this.#giveUpAtMs) {
      const db = this.#door(0)
      const real = createRatingStore(db, Date.now, this.#limits)
      const store = this.#options.variant?.submissions?.(db, real) ?? real
      const sentMs = Date.now()
      entry.sentMs.push(sentMs)
      try {
        const answer = await store.addScore(entry.content)
        entry.answers.push('id' in answer ? answer.id : answer.result)
        return
      } catch (error) {
        if (!(error instanceof DbError)) throw error
        this.#seen.retries++
      } finally {
        this.#seen.slowestMs = Math.max(this.#seen.slowestMs, Date.now() - sentMs)
      }
      await pause(Math.random() * 100)
    }
  }

  async #remove(entry: Entry): Promise<void> {
    const { acc_nbr } = entry.content
    await this.#removing([entry], () =>
      deleteRatings(this.#door(), acc_nbr, [uuidToBytes(entry.answers[0] ?? '')]),
    )
  }

  /** Leaves once a third of the submissions is in, so that folded ratings are removed amid trouble. */
  async #leave(entries: readonly Entry[]): Promise<void> {
    while (this.#answered < this.#options.submissions / 3 && Date.now() < this.#giveUpAtMs) {
      await pause(10)
    }
    const eraserOver = this.#options.variant?.eraser ?? createRatingEraser
    await this.#removing(entries, () =>
      eraserOver(this.#door()).forgetAuthor(entries[0]?.content.userId ?? '', 'delete'),
    )
  }

  async #removing(entries: readonly Entry[], remove: () => Promise<unknown>): Promise<void> {
    for (const entry of entries) entry.removal = 'asked'
    this.#removals.begun++
    this.#removals.underWay++
    while (Date.now() < this.#giveUpAtMs) {
      try {
        await remove()
        for (const entry of entries) entry.removal = 'done'
        this.#seen.removed += entries.length
        break
      } catch (error) {
        if (!(error instanceof DbError)) throw error
        this.#seen.retries++
        await pause(Math.random() * 50)
      }
    }
    this.#removals.underWay--
  }

  async #read(): Promise<void> {
    const settled = new Map<string, Settled>()
    for (let turn = 0; !this.#isOver; turn++) {
      const account = drillAccounts[turn % 2] ?? drillAccounts[0]
      await foldAccount(this.#door(), account, Date.now(), this.#limits).then(
        (folded) => {
          this.#seen.folded += folded ?? 0
        },
        () => undefined,
      )
      const isExact = await this.#checker.isExactNow(account)
      if (isExact !== undefined) this.#seen.moments++
      if (isExact === false) this.#seen.inexactMoments++
      await this.#checkLateness(account, settled)
      await this.#checkSummary(account)
      await pause(Math.random() * 30)
    }
    for (const account of drillAccounts) await this.#checkLateness(account, settled)
  }

  /** What a caller is told, against the rows just before and just after; not judged while something is removed. */
  async #checkSummary(account: string): Promise<void> {
    const { begun, underWay } = this.#removals
    const before = await this.#checker.rowCount(account)
    const told = await createRatingStore(this.#door(), Date.now, this.#limits)
      .countsOfAccount(account, { kind: 'all' })
      .catch(() => undefined)
    const after = await this.#checker.rowCount(account)
    if (before === undefined || told === undefined || after === undefined) return
    if (underWay > 0 || this.#removals.begun > begun) return
    this.#seen.summaries++
    if (told.count < before || told.count > after) this.#seen.wrongSummaries++
  }

  /** What was sent before the fold delay began can only become less. */
  async #checkLateness(account: string, settled: Map<string, Settled>): Promise<void> {
    const before = settled.get(account)
    const untilMs = Date.now() - DRILL_FOLD_DELAY_MS
    const counts = await this.#checker.rowCountsUntil(account, [before?.untilMs ?? 0, untilMs])
    if (counts === undefined) return
    const [earlier, count] = counts
    if (before && earlier > before.count) this.#seen.lateRows++
    settled.set(account, { untilMs, count })
  }

  /** With everything quiet, counts by grade are the rows', as they stand and once all is folded. */
  async #compareCounts(): Promise<void> {
    const db = this.#door()
    const settled = { ...this.#limits, foldDelayMs: -1000 }
    for (const account of drillAccounts) {
      const expected = await this.#checker.counts(account)
      for (const fold of [async () => 0, () => foldAccount(db, account, Date.now(), settled)]) {
        await persist(fold)
        const told = await persist(() =>
          createRatingStore(db, Date.now, this.#limits).countsOfAccount(account, { kind: 'all' }),
        )
        if (!isDeepStrictEqual(told, expected)) this.#seen.wrongSummaries++
      }
    }
  }

  /** Any instance from this one on. */
  #door(first = 1): Db {
    const choice = first + Math.floor(Math.random() * (this.#doors.length - first))
    const door = this.#doors[choice]
    if (door === undefined) throw new Error('no door')
    return door
  }
}

/** Some faults are still to come when the clients have gone. */
async function persist<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof DbError) || attempt === 10) throw error
    }
  }
}
