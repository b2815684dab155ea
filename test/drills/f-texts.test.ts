import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startLocalDatabase } from '../../scripts/database/local-database.ts'
import { createLogger } from '../../shared/log.ts'
import type { Db, SqlValue } from '../../shared/store/db.ts'
import { createRatingStore } from '../../shared/store/ratings.ts'
import { serveWeb } from '../../shared/transport/server/web.ts'
import { part } from '../../shared/wiring/compose.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { ask } from '../support/drill-client.ts'
import * as drillFunctions from '../support/drill-functions.ts'
import { drillSeed, seededChance } from '../support/drill-random.ts'
import { isFoundOut, isFullDrill, reportDrill } from '../support/drill-report.ts'
import { logInOn } from '../support/drill-session.ts'
import { importPatched, type Patch } from '../support/drill-variant.ts'
import { hostileTexts } from '../support/hostile-texts.ts'
import { rating } from '../support/ratings.ts'
import { describeOnServers } from '../support/server-suites.ts'

const TEXTS = isFullDrill ? 7054 : 400
const SLOW_MS = 1000
const halfCharacters = ['\\ud800', '\\udc00', 'x\\ud83d', '\\ude00\\ud83d', '\\ud800\\u0041']

interface TextScore {
  texts: number
  /** Each text is sent in each of the three fields. */
  altered: number
  refused: number
  slow: number
  /** Texts with half a character that were not refused with 400. */
  halfTaken: number
  /** Rows beyond or below those sent, and what became of a table that nobody uses. */
  rowsOff: number
  canary: 'alive' | 'dead'
}

const nothingWrong = { altered: 0, refused: 0, slow: 0, halfTaken: 0, rowsOff: 0, canary: 'alive' }

function isSound(score: TextScore): boolean {
  return Object.entries(nothingWrong).every(
    ([name, value]) => score[name as keyof TextScore] === value,
  )
}

interface Functions {
  functionsInProcess: typeof drillFunctions.functionsInProcess
  others?: drillFunctions.OtherParts
}

/** Sends texts through servers of the functions into the database and reads them back. */
async function sendTexts(
  databaseUrl: string,
  texts: readonly string[],
  { functionsInProcess, others = {} }: Functions,
): Promise<TextScore> {
  const { environment, token } = await logInOn(databaseUrl)
  const db = await openDb(databaseUrl)
  await db.query('create table canaries (id int primary key, song varchar(20) not null)')
  await db.query("insert into canaries values (1, 'tweet')")
  const functions = functionsInProcess(environment, { others })
  const log = createLogger({ functionName: 'drill', now: Date.now, write: () => {} })
  const server = await serveWeb(functions['submit-score'].http, { host: '127.0.0.1', port: 0, log })
  const score = { texts: texts.length, altered: 0, refused: 0, slow: 0, halfTaken: 0 }
  const sent = new Map<string, string[]>()
  try {
    const submit = async (at: number): Promise<void> => {
      // The same texts in other company, so that each is once in each field.
      const fields = [0, 1, 2].map((field) => texts[(at + field * 7) % texts.length] ?? '')
      const [txt1, txt2, txt3] = fields
      const { status, body, durationMs } = await ask(server.url, 'POST /score', {
        token,
        // One person has one rating of an account.
        body: rating({ acc_nbr: `${10_000 + at}`, txt1, txt2, txt3 }),
      })
      if (status === 201) sent.set(body.id, fields)
      else score.refused++
      if (durationMs > SLOW_MS) score.slow++
    }
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < texts.length) await submit(next++)
    }
    await Promise.all([worker(), worker(), worker(), worker()])

    for (const half of halfCharacters) {
      for (const field of ['txt1', 'txt2', 'txt3']) {
        const body = JSON.stringify(rating({ [field]: '@' })).replace('"@"', `"${half}"`)
        const { status } = await ask(server.url, 'POST /score', { token, body })
        if (status !== 400) score.halfTaken++
      }
    }
    const seen = new Map<string, string[]>()
    let cursor: string | null = null
    do {
      const page = await ask(
        server.url,
        `GET /score?limit=100${cursor ? `&cursor=${cursor}` : ''}`,
        { token },
      )
      for (const { id, txt1, txt2, txt3 } of page.body?.items ?? [])
        seen.set(id, [txt1, txt2, txt3])
      cursor = page.body?.next ?? null
    } while (cursor !== null)
    for (const [id, fields] of sent) {
      const stored = seen.get(id)
      score.altered += fields.filter((text, field) => stored?.[field] !== text).length
    }
    const { rows } = await db.query('select count(*) as row_count from ratings')
    const rowsOff = Number(rows[0]?.row_count) - sent.size
    return { ...score, rowsOff, canary: await canaryOf(db) }
  } finally {
    await server.stop()
    await db.close()
  }
}

async function canaryOf(db: Db): Promise<'alive' | 'dead'> {
  const songs = await db.query('select song from canaries').then(
    ({ rows }) => rows.map(({ song }) => song),
    () => [],
  )
  return `${songs}` === 'tweet' ? 'alive' : 'dead'
}

function drillTexts(
  name: string,
  open: () => Promise<{ url: string; close(): Promise<void> }>,
  { hasAllVariants = isFullDrill } = {},
): void {
  let database: { url: string; close(): Promise<void> }
  beforeEach(async () => {
    database = await open()
  })
  afterEach(() => database?.close())

  test(`${TEXTS} hostile texts in each of three fields come back as they were sent, and touch nothing else`, async () => {
    const chance = seededChance(drillSeed())
    const score = await sendTexts(database.url, hostileTexts(TEXTS, chance), drillFunctions)
    const figures = { ...score, seed: chance.seed }
    await reportDrill({ drill: 'F', on: name, figures, passed: isSound(score) })
    expect(score).toMatchObject(nothingWrong)
  }, 900_000)

  const isWrong = async (functions: Functions): Promise<boolean> =>
    !isSound(await sendTexts(database.url, hostileTexts(120, seededChance(1)), functions))

  test('a store that puts texts into its statements is found', async () => {
    const variant = { drill: 'F', on: name, variant: 'puts texts into statements' }
    const caught = await isFoundOut(variant, async () => {
      const db = await openDb(database.url)
      const store = part([], () => createRatingStore(concatenating(db), Date.now))
      const others = { ratings: store, ownRatings: store, submissions: store }
      try {
        return await isWrong({ ...drillFunctions, others })
      } finally {
        await db.close()
      }
    })
    expect(caught).toBe(true)
  })

  if (!hasAllVariants) return
  test.each<[what: string, patch: Patch]>([
    [
      'normalises what it stores',
      {
        file: 'shared/store/rating-turns.ts',
        from: 'score.txt1,',
        to: "score.txt1.normalize('NFC'),",
      },
    ],
    [
      'trims what it stores',
      {
        file: 'shared/store/rating-turns.ts',
        from: 'score.txt2,',
        to: 'score.txt2.trim(),',
      },
    ],
    [
      'takes half characters',
      {
        file: 'shared/transport/body.ts',
        from: "if (!value.isWellFormed()) throw new Problem('lone-surrogate')",
        to: '',
      },
    ],
  ])('functions that %s are found', async (what, patch) => {
    const caught = await isFoundOut({ drill: 'F', on: name, variant: what }, async () =>
      isWrong(await importPatched<Functions>('test/support/drill-functions.ts', [patch])),
    )
    expect(caught).toBe(true)
  })
}

/** A door that writes values into the statement between quotes, as the rating article's server did. */
function concatenating(db: Db): Db {
  const spell = (value: SqlValue | undefined): string => {
    if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
    return typeof value === 'string' ? `'${value}'` : `${value ?? null}`
  }
  return {
    ...db,
    query(sql, values = []) {
      let at = 0
      return db.query(sql.replaceAll('?', () => spell(values[at++])))
    },
  }
}

describe('on the offline PlanetScale', () => {
  drillTexts('offline PlanetScale', () => startLocalDatabase('sqlite::memory:'), {
    hasAllVariants: true,
  })
})

describeOnServers('on a server', (suite) => {
  drillTexts(suite.kind, async () => ({ url: await suite.freshDatabase(), close: async () => {} }))
})

/** Two doors that were tried, one behind the other. */
const describeBefore = isFullDrill ? describeOnServers : () => {}
describeBefore('on the offline PlanetScale before a server', (suite) => {
  drillTexts(`offline PlanetScale over ${suite.kind}`, async () =>
    startLocalDatabase(`planetscale+${await suite.freshDatabase()}`),
  )
})
