/**
 * A thousand instances of an event function on one server, each with a connection and a breaker of its own, as the platform
 * would start them: what they get while there is room for all, while there is not, and around an outage.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { v7 as uuidV7 } from 'uuid'
import { createCounterStore } from '../../shared/store/counters.ts'
import { type Db, DbError } from '../../shared/store/db.ts'
import { createRatingStore } from '../../shared/store/ratings.ts'
import { databaseFrom } from '../../shared/wiring/database.ts'
import { percentile } from './percentile.ts'

/** What a call has left when it reaches the store. */
const CALL_MS = 4000

export interface Instances {
  /** Every instance submits `rounds` ratings, one after the other, one every `periodMs`; they begin evenly spread. */
  submit(load: { rounds: number; periodMs: number }): Promise<SubmissionFigures>
  /** Every instance counts once in the same window of one counter. @returns the counts they got, and how long it took. */
  countTogether(): Promise<{ counts: number[]; refused: number; tookMs: number }>
  close(): Promise<void>
}

export interface SubmissionFigures {
  answered: number
  /** 503 for the client, by what the store said: `refused 1040`, `unreachable`. */
  failed: Record<string, number>
  perSecond: number
  p50Ms: number
  p99Ms: number
  slowestMs: number
  /** Of the failed ones: half of them knew it after so long. */
  failedP50Ms: number
}

export function startInstances(url: string, count: number): Instances {
  const dbs = Array.from({ length: count }, () => {
    // An object of its own each, so that none shares connections or breaker with another.
    const database = databaseFrom({ DATABASE_URL: url, DATABASE_CONNECTIONS: 1 })
    return {
      forCall(): Db {
        const startedMs = performance.now()
        return database.forCall(() => CALL_MS - (performance.now() - startedMs))
      },
    }
  })
  return {
    async submit({ rounds, periodMs }) {
      const tookMs: number[] = []
      const failedMs: number[] = []
      const failed: Record<string, number> = {}
      const startMs = performance.now()
      await Promise.all(
        dbs.map(async ({ forCall }, index) => {
          for (let round = 0; round < rounds; round++) {
            const dueMs = startMs + (index / count + round) * periodMs
            await pause(Math.max(dueMs - performance.now(), 0))
            const askedMs = performance.now()
            try {
              await createRatingStore(forCall(), Date.now).addScore(ratingOf(index))
              tookMs.push(performance.now() - askedMs)
            } catch (error) {
              const why = reasonOf(error)
              failed[why] = (failed[why] ?? 0) + 1
              failedMs.push(performance.now() - askedMs)
            }
          }
        }),
      )
      const seconds = (performance.now() - startMs) / 1000
      const rounded = (part: number, of = tookMs) =>
        of.length === 0 ? 0 : Math.round(percentile(of, part))
      return {
        answered: tookMs.length,
        failed,
        perSecond: Math.round(tookMs.length / seconds),
        p50Ms: rounded(0.5),
        p99Ms: rounded(0.99),
        slowestMs: Math.round(Math.max(0, ...tookMs)),
        failedP50Ms: rounded(0.5, failedMs),
      }
    },
    async countTogether() {
      const window = { lengthMs: 3_600_000, atMs: Date.now() }
      const startMs = performance.now()
      const results = await Promise.allSettled(
        dbs.map(({ forCall }) =>
          createCounterStore(forCall(), COUNTER_SECRET).increment('login 203.0.113.7', window),
        ),
      )
      return {
        counts: results.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])),
        refused: results.filter(({ status }) => status === 'rejected').length,
        tookMs: Math.round(performance.now() - startMs),
      }
    },
    async close() {
      await Promise.all(dbs.map(({ forCall }) => forCall().close()))
    },
  }
}

const COUNTER_SECRET = new Uint8Array(32).fill(1)

function ratingOf(index: number) {
  return {
    acc_nbr: `${13_800_138_000 + (index % 100)}`,
    grade1: 5,
    grade2: 4,
    grade3: null,
    txt1: 'a',
    txt2: '',
    txt3: '😀',
    userId: uuidV7(),
    idempotencyKey: null,
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof DbError)) throw error
  return error.errno === undefined ? error.failure : `${error.failure} ${error.errno}`
}
