/**
 * The same reads of the busiest account in a small and in a large database, side by side on one server, through
 * the real rating store: they should take the same time. How many rows each touches is counted, too,
 * which no neighbour on the machine can blur.
 */

import { randomBytes } from 'node:crypto'
import { stringify as bytesToUuid, v7 as uuidV7 } from 'uuid'
import type { RatingStore } from '../../shared/ports.ts'
import { countLimits, foldAccount } from '../../shared/store/folds.ts'
import { createRatingStore } from '../../shared/store/ratings.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { type Defer, withClosers } from '../cli/closers.ts'
import { type AccessPath, accessPathOf, recordingDb } from './access-path.ts'
import { startMeasuringServer } from './back-end.ts'
import { atMost, type Benchmark, type BenchmarkOptions, type Row, withoutServer } from './figure.ts'
import {
  hotAccount,
  hotRows,
  middleId,
  ordinaryAccounts,
  rareAuthor,
  risingAccount,
} from './generated-ratings.ts'
import { addRisingRatings, loadRatings } from './load-ratings.ts'
import { median, medianRatio } from './median.ts'

const ROUNDS_DEFAULT = 15
const SMALL_ROWS = 10_000
/** Submitted just now, so too young to be folded: the tail that every summary adds up. */
const TAIL_ROWS = 100
/** What an account that is rated 1,000 times a second gathers before anything of it may be folded. */
const FRESH_ROWS = 110_000
const SUMMARIES_UNDER_LOAD = 11
/** Holds what is read of ten million ratings, as a server of that size would. */
const BUFFER_POOL_MB = 1024
const OTHER_FOLDS = 100
const PAGE = 21
/** Calls of one read in a round, as many as fit in this time. */
const READS_MS = 40
const READS_MAX = 30
const STATEMENT_BUDGET_MS = 120_000
const BUDGET = atMost(1.1, 1)
const NO_SCAN = atMost(0, 0)

interface Read {
  what: string
  run: (place: Place) => Promise<unknown>
}

/** One of the two databases. */
interface Place {
  url: string
  rows: number
  ratings: RatingStore
  take: ReturnType<typeof recordingDb>['take']
  /** The middle of the busy account's ratings. */
  middle: string
}

const author = bytesToUuid(rareAuthor)
const all = { kind: 'all' } as const
const own = { kind: 'author', userId: author } as const

const reads: readonly Read[] = [
  {
    what: 'first page of the busiest account',
    run: ({ ratings }) => ratings.scoresOfAccount(hotAccount, all, { before: null, limit: PAGE }),
  },
  {
    what: 'a page from the middle of it',
    run: ({ ratings, middle }) =>
      ratings.scoresOfAccount(hotAccount, all, { before: middle, limit: PAGE }),
  },
  { what: 'summary of it', run: ({ ratings }) => ratings.countsOfAccount(hotAccount, all) },
  {
    what: 'own page of an author with three ratings of it',
    run: ({ ratings }) => ratings.scoresOfAccount(hotAccount, own, { before: null, limit: PAGE }),
  },
  {
    what: 'summary of an author’s own ratings of it',
    run: ({ ratings }) => ratings.countsOfAccount(hotAccount, own),
  },
  {
    what: 'GET /score, own ratings of all accounts',
    run: ({ ratings }) => ratings.scoresByAuthor(author, { before: null, limit: PAGE }),
  },
]

/** Large against small. */
export const scale: Benchmark = (options) =>
  withClosers(async (defer) => {
    const { rows, rounds = ROUNDS_DEFAULT, progress, server: kind } = options
    const server = await startMeasuringServer({ kind, bufferPoolMB: BUFFER_POOL_MB }, defer)
    if (!server) {
      return reads.map(({ what }) => ({ what, skipped: withoutServer[kind] }))
    }
    const smallRows = rows > SMALL_ROWS ? SMALL_ROWS : Math.floor(rows / 10)
    const small = await fill(await server.createDatabase(), smallRows, options, defer)
    const large = await fill(await server.createDatabase(), rows, options, defer)
    const figures: Row[] = []
    const scans: string[] = []
    for (const read of reads) {
      const smallPath = await pathOf(read, small)
      const largePath = await pathOf(read, large)
      const smallUs: number[] = []
      const largeUs: number[] = []
      // The first rounds let V8 and the buffer pool come to rest.
      for (let round = -2; round < rounds; round++) {
        const taken = await inTurn(round, read, small, large)
        if (round < 0) continue
        smallUs.push(taken.small)
        largeUs.push(taken.large)
      }
      progress(`scale: ${read.what}`)
      scans.push(...largePath.scans)
      figures.push({
        what: read.what,
        value: medianRatio(largeUs, smallUs),
        unit: '×',
        budget: BUDGET,
        detail: `${milliseconds(largeUs)} with ${rows}, ${milliseconds(smallUs)} with ${smallRows}, ${rounds} rounds`,
      })
      figures.push({
        what: `${read.what}: rows touched`,
        value: largePath.rowsTouched / smallPath.rowsTouched,
        unit: '×',
        budget: BUDGET,
        detail: `${largePath.rowsTouched}, ${smallPath.rowsTouched} in the small one; ${largePath.indexes.join(', ')}`,
      })
    }
    figures.push({
      what: 'statements that scan, by EXPLAIN',
      value: scans.length,
      unit: 'statements',
      budget: NO_SCAN,
      detail: scans.join('; '),
    })
    return [...figures, ...(await summariesUnderLoad(large))]
  })

/**
 * Summaries of an account that is rated a thousand times a second: what arrived in the last two minutes cannot be folded
 * yet, so every one of them counts it.
 */
async function summariesUnderLoad({ url, rows, ratings, take }: Place): Promise<Row[]> {
  const fresh = Math.min(FRESH_ROWS, rows)
  await addRisingRatings(url, fresh)
  const takenUs: number[] = []
  let statements = 0
  for (let turn = 0; turn < SUMMARIES_UNDER_LOAD; turn++) {
    take()
    const startedAt = performance.now()
    await ratings.countsOfAccount(risingAccount, all)
    takenUs.push((performance.now() - startedAt) * 1000)
    statements = Math.max(statements, take().length)
  }
  const what = 'summary of an account rated 1,000 times a second'
  const detail = `${fresh} ratings too young to be folded`
  return [
    {
      what: `${what}: statements`,
      value: statements,
      unit: 'statements',
      budget: atMost(2, 2),
      detail,
    },
    { what, value: median(takenUs), unit: 'µs', detail },
  ]
}

/** Who goes first takes turns as well: it pays for waking up. */
async function inTurn(
  round: number,
  read: Read,
  small: Place,
  large: Place,
): Promise<{ small: number; large: number }> {
  if (round % 2 === 0) {
    const smallFirst = await microseconds(read, small)
    return { small: smallFirst, large: await microseconds(read, large) }
  }
  const largeFirst = await microseconds(read, large)
  return { small: await microseconds(read, small), large: largeFirst }
}

/** Loads a database and brings it to rest: some fresh ratings, everything older folded. */
async function fill(
  url: string,
  rows: number,
  { hotShare, progress }: BenchmarkOptions,
  defer: Defer,
): Promise<Place> {
  await loadRatings({ databaseUrl: url, rows, hotShare, progress })
  const db = recordingDb(await openDb(url, { budgetMs: STATEMENT_BUDGET_MS }))
  defer(() => db.close())
  const ratings = createRatingStore(db, Date.now)
  for (let index = 0; index < TAIL_ROWS; index++) await submitNow(ratings)
  while ((await foldAccount(db, hotAccount, Date.now())) !== 0) progress('scale: folding')
  // A table of one fold would be read as a whole, which says nothing of one with many.
  for (const account of ordinaryAccounts({ rows, hotShare }, OTHER_FOLDS)) {
    await foldAccount(db, account, Date.now(), { ...countLimits, tailMax: 0 })
  }
  const middle = bytesToUuid(middleId({ rows, hotShare }))
  progress(`scale: ${rows} ratings, ${hotRows({ rows, hotShare })} of the busiest account`)
  return { url, rows, ratings, take: db.take, middle }
}

async function submitNow(ratings: RatingStore): Promise<void> {
  await ratings.addScore({
    acc_nbr: hotAccount,
    userId: uuidV7({ random: randomBytes(16) }),
    grade1: 5,
    grade2: 4,
    grade3: 3,
    txt1: '刚刚提交',
    txt2: '',
    txt3: '',
    idempotencyKey: null,
  })
}

async function pathOf(read: Read, place: Place): Promise<AccessPath> {
  place.take()
  await read.run(place)
  return accessPathOf(place.url, place.take())
}

/** Mean of some calls. */
async function microseconds(read: Read, place: Place): Promise<number> {
  const startedAt = performance.now()
  let calls = 0
  do {
    await read.run(place)
    calls++
  } while (calls < READS_MAX && performance.now() - startedAt < READS_MS)
  place.take()
  return ((performance.now() - startedAt) * 1000) / calls
}

function milliseconds(us: readonly number[]): string {
  return `${(median(us) / 1000).toFixed(2)} ms`
}
