/** Calls of every store there is, for tests that look at every statement. */
import { v7 as uuidV7 } from 'uuid'
import { emptyCounts } from '../../shared/domain/score.ts'
import type { NewScore, SessionRecord } from '../../shared/ports.ts'
import { countAccount, summarisedCounts } from '../../shared/store/account-counts.ts'
import { auditPages, createAudit } from '../../shared/store/audit.ts'
import { createCodeClaimStore } from '../../shared/store/code-claims.ts'
import { createCounterStore } from '../../shared/store/counters.ts'
import { databaseMs } from '../../shared/store/database-clock.ts'
import type { Db } from '../../shared/store/db.ts'
import * as folds from '../../shared/store/folds.ts'
import { lastIdAt } from '../../shared/store/id-range.ts'
import * as maintenance from '../../shared/store/maintenance.ts'
import { createPersonIdentities, createPersonStore } from '../../shared/store/people.ts'
import { createRatingEraser } from '../../shared/store/rating-erasure.ts'
import { createRatingSubmissions } from '../../shared/store/rating-submissions.ts'
import { createRatingTurns } from '../../shared/store/rating-turns.ts'
import {
  createOwnRatings,
  createRatingReader,
  createRatingStore,
} from '../../shared/store/ratings.ts'
import { isLiving, type LookedAtSession } from '../../shared/store/session-in-statement.ts'
import {
  createPlatformSessionStore,
  createSessionEnding,
  createSessionLookup,
  createSessionStore,
} from '../../shared/store/sessions.ts'
import { insertRatings } from './stored-rating.ts'

/** A moment that every server's clock has behind it. */
const NOW_MS = Date.UTC(2024, 5, 1)
const TOMORROW_MS = Date.now() + 24 * 60 * 60 * 1000
const LONG_AGO_MS = NOW_MS - 10 * folds.countLimits.foldDelayMs
/** Low enough to reach every statement with a few ratings. */
const limits = { ...folds.countLimits, tailMax: 0 }
const slice = { before: null, limit: 10 }

/** Every factory of a store, and every function that takes a Db, by the name it is exported under. */
export function everyStore(db: Db) {
  return {
    createRatingStore: createRatingStore(db, () => NOW_MS, limits),
    createRatingSubmissions: createRatingSubmissions(db, () => NOW_MS, limits),
    createRatingTurns: createRatingTurns(db, 4000),
    createRatingReader: createRatingReader(db, () => NOW_MS, limits),
    createOwnRatings: createOwnRatings(db),
    createRatingEraser: createRatingEraser(db),
    createPersonIdentities: createPersonIdentities(db),
    createPersonStore: createPersonStore(db),
    createSessionLookup: createSessionLookup(db),
    createPlatformSessionStore: createPlatformSessionStore(db),
    createSessionStore: createSessionStore(db),
    createSessionEnding: createSessionEnding(db),
    createCodeClaimStore: createCodeClaimStore(db),
    createAudit: createAudit(db, { of: () => 'sixteen-letters-' }),
    auditPages: { auditPages: () => auditPages(db, NOW_MS) },
    createCounterStore: createCounterStore(withoutHandedOnIds(db), bytes(32)),
    sessionInStatement: { isLiving: (session: LookedAtSession) => isLiving(db, session) },
    databaseClock: { databaseMs: (account: string) => databaseMs(db, account) },
    counts: {
      countAccount: (account: string) =>
        countAccount(db, account, { settledId: lastIdAt(NOW_MS), countMax: 1000 }),
      summarisedCounts: (account: string) => summarisedCounts(db, account, () => NOW_MS, limits),
    },
    folds: {
      moveMark: (account: string) =>
        folds.moveMark(db, account, { through: lastIdAt(0), counts: emptyCounts, version: -2 }),
      foldAccount: (account: string) => folds.foldAccount(db, account, NOW_MS, limits),
      deleteRatings: (account: string, ids: Uint8Array[]) => folds.deleteRatings(db, account, ids),
      verifyFold: (account: string) => folds.verifyFold(db, account),
      resetFold: (account: string) => folds.resetFold(db, account),
    },
    maintenance: {
      accountPages: () => maintenance.accountPages(db),
      sealedValuePages: () => maintenance.sealedValuePages(db),
      deleteOldRatingsOfMany: (accounts: string[]) =>
        maintenance.deleteOldRatingsOfMany(db, accounts, NOW_MS),
      deleteOldRatings: (account: string) => maintenance.deleteOldRatings(db, account, NOW_MS),
      countOldRatings: (account: string) => maintenance.countOldRatings(db, account, NOW_MS),
      deleteSpentRows: (table: Parameters<typeof maintenance.deleteSpentRows>[1]) =>
        maintenance.deleteSpentRows(
          db,
          table,
          table === maintenance.auditTable ? TOMORROW_MS : NOW_MS + 2000,
        ),
    },
  }
}
/** Stores by the name of their factory, and the functions of `account-counts.ts`, `folds.ts`, `maintenance.ts` and the database's clock. */
export type Stores = ReturnType<typeof everyStore>
/** Calls of every method of every store, enough to reach each of its statements. */
export type Calls = {
  [Name in keyof Stores]: { [Method in keyof Stores[Name]]: () => Promise<unknown> }
}

function bytes(length: number): Uint8Array {
  return new Uint8Array(length).fill(7)
}

function rating(userId: string, changes: Partial<NewScore> = {}): NewScore {
  return {
    acc_nbr: '13800138000',
    grade1: 5,
    grade2: 4,
    grade3: null,
    txt1: 'a',
    txt2: '',
    txt3: '😀',
    userId,
    idempotencyKey: null,
    ...changes,
  }
}

function session(userId: string): SessionRecord {
  return {
    userId,
    sessionId: uuidV7(),
    kind: 'code',
    device: 'phone',
    createdAtMs: NOW_MS,
    lastUsedAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 1000,
    endedAtMs: null,
    refreshGeneration: 1,
    refreshKid: 'k1',
    refreshHash: bytes(32),
    previousHash: null,
    rotatedAtMs: NOW_MS,
    proofHash: null,
  }
}

/** One call of each, in an order that leaves something to find; every branch that asks another query is taken. */
export function everyCall(stores: Stores, db: Db): Calls {
  const ratings = stores.createRatingStore
  const submissions = stores.createRatingSubmissions
  const turns = stores.createRatingTurns
  const reader = stores.createRatingReader
  const identities = stores.createPersonIdentities
  const platform = stores.createPlatformSessionStore
  const eraser = stores.createRatingEraser
  const people = stores.createPersonStore
  const sessions = stores.createSessionStore
  const claims = stores.createCodeClaimStore
  const counters = stores.createCounterStore
  const account = '13800138000'
  const [one, other] = [uuidV7(), uuidV7()]
  let leaver = ''
  const added = session(one)
  const phone = { sealed: bytes(40), digest: bytes(32), atMs: NOW_MS }
  const login = { appid: 'wxapp', unionid: null, sessionKeyOf: () => null, atMs: NOW_MS }
  const audited = { userId: one, requestId: 'request-1' }
  const window = { lengthMs: 1000, atMs: NOW_MS }
  const newRating = async (userId: string, number = account) => {
    const [id] = await insertRatings(db, number, { count: 1, fromMs: LONG_AGO_MS, userId })
    return id as Uint8Array
  }

  return {
    createRatingStore: {
      addScore: () => ratings.addScore(rating(one)),
      scoresByAuthor: () => ratings.scoresByAuthor(one, slice),
      scoresOfAccount: () => ratings.scoresOfAccount(account, { kind: 'all' }, slice),
      countsOfAccount: () => ratings.countsOfAccount(account, { kind: 'all' }),
    },
    createRatingSubmissions: {
      async addScore() {
        // Its clock is years behind the database's: the time is asked for.
        await submissions.addScore(rating(one, { idempotencyKey: 'k' }))
        await submissions.addScore(rating(one, { idempotencyKey: 'k' }))
        // Nobody's session: it is looked at, and then asked for.
        const session = { userId: one, sessionId: other, proofHash: null }
        await submissions.addScore(rating(one), undefined, session)
      },
    },
    createRatingTurns: {
      async take() {
        const row = { id: uuidV7(), atMs: Date.now(), hash: null }
        await turns.take(rating(one), row, { kind: 'of-period', period: 'ever', index: 0 })
        // Young, or as old as if it could have been folded.
        for (const atMs of [Date.now(), Date.now() + 5000]) {
          const next = { id: uuidV7({ msecs: atMs }), atMs, hash: null }
          await turns.take(rating(one), next, { kind: 'of-another', turn: 0 })
        }
      },
      next: () => turns.next(rating(one), { atMost: 1, per: 'day', further: 'refuse' }),
    },
    createRatingReader: {
      async scoresOfAccount() {
        await reader.scoresOfAccount(account, { kind: 'all' }, { ...slice, after: uuidV7() })
        await reader.scoresOfAccount(account, { kind: 'all' }, slice)
        await reader.scoresOfAccount(account, { kind: 'since', sinceMs: NOW_MS }, slice)
        await reader.scoresOfAccount(account, { kind: 'author', userId: one }, slice)
      },
      async countsOfAccount() {
        await reader.countsOfAccount(account, { kind: 'all' })
        await reader.countsOfAccount(account, { kind: 'since', sinceMs: NOW_MS })
        await reader.countsOfAccount(account, { kind: 'author', userId: one })
      },
    },
    createOwnRatings: { scoresByAuthor: () => stores.createOwnRatings.scoresByAuthor(one, slice) },
    sessionInStatement: {
      isLiving: () =>
        stores.sessionInStatement.isLiving({
          ...{ userId: one, sessionId: other },
          ...{ proofHash: null, atMs: NOW_MS },
        }),
    },
    databaseClock: { databaseMs: () => stores.databaseClock.databaseMs(account) },
    counts: {
      async countAccount() {
        await stores.counts.countAccount(account)
        await stores.counts.countAccount('nobody')
      },
      async summarisedCounts() {
        await stores.counts.summarisedCounts(account)
        await newRating(one)
        await stores.counts.summarisedCounts(account)
      },
    },
    folds: {
      moveMark: () => stores.folds.moveMark(account),
      async foldAccount() {
        await newRating(one)
        await stores.folds.foldAccount(account)
      },
      async deleteRatings() {
        await stores.folds.resetFold(account)
        const [id, other] = [await newRating(one), await newRating(one)]
        await stores.folds.foldAccount(account)
        await stores.folds.deleteRatings(account, [id])
        await stores.folds.deleteRatings(account, [other])
      },
      verifyFold: () => stores.folds.verifyFold(account),
      resetFold: () => stores.folds.resetFold(account),
    },
    maintenance: {
      async accountPages() {
        await newRating(one)
        for await (const page of stores.maintenance.accountPages()) void page
      },
      async sealedValuePages() {
        for await (const page of stores.maintenance.sealedValuePages()) void page
      },
      async deleteOldRatingsOfMany() {
        await newRating(one, 'a')
        await newRating(one, 'b')
        await stores.maintenance.deleteOldRatingsOfMany(['a', 'b'])
      },
      countOldRatings: () => stores.maintenance.countOldRatings(account),
      async deleteOldRatings() {
        await newRating(one)
        await stores.maintenance.deleteOldRatings(account)
      },
      async deleteSpentRows() {
        await sessions.add(session(uuidV7()))
        await claims.claim(bytes(32), { nonceDigest: bytes(32), atMs: NOW_MS })
        await counters.increment('login 10.0.0.2', window)
        await stores.createAudit.record('operator-read', audited)
        for (const table of [...maintenance.spentTables, maintenance.auditTable]) {
          await stores.maintenance.deleteSpentRows(table)
        }
      },
    },
    createRatingEraser: {
      async forgetAuthor() {
        await newRating(one)
        await eraser.forgetAuthor(one, 'keep-anonymous')
        await newRating(one)
        await newRating(one)
        await eraser.forgetAuthor(one, 'delete')
      },
    },
    createPersonIdentities: {
      identify: () => identities.identify({ appid: 'wxapp', openid: 'oTwo', atMs: NOW_MS }),
      noteLogin: () => identities.noteLogin({ ...login, openid: 'oTwo' }),
    },
    createPersonStore: {
      identify: () => people.identify({ appid: 'wxapp', openid: 'oOne', atMs: NOW_MS }),
      async noteLogin() {
        leaver = await people.noteLogin({ ...login, openid: 'oLeaver' })
      },
      sessionKeys: () => people.sessionKeys(one),
      resealSessionKey: () => people.resealSessionKey(one, bytes(40), bytes(41)),
      phone: () => people.phone(one),
      async bindPhone() {
        await people.bindPhone({ ...phone, userId: one })
        await people.bindPhone({ ...phone, userId: leaver })
        const digest = bytes(32).fill(8)
        await people.bindPhone({ ...phone, userId: leaver, digest })
        await people.bindPhone({ ...phone, userId: other, digest })
      },
      phoneHolder: () => people.phoneHolder(bytes(32)),
      async unbindPhone() {
        await people.bindPhone({ ...phone, userId: one, digest: bytes(32).fill(9) })
        await people.unbindPhone(one)
      },
      notePhone: () => people.notePhone(one, bytes(40)),
      async leave() {
        await people.leave(leaver, NOW_MS)
        await people.noteLogin({ ...login, openid: 'oLeaver' })
      },
      async erase() {
        await claims.claim(bytes(32), { nonceDigest: bytes(32), atMs: NOW_MS })
        await claims.settle(bytes(32), { userId: leaver })
        await people.erase(leaver)
      },
      whoLeft: () => people.whoLeft(NOW_MS + 1),
      eraseLast: () => people.eraseLast(leaver),
    },
    createSessionLookup: { living: () => stores.createSessionLookup.living(added, NOW_MS) },
    createPlatformSessionStore: {
      addAnew: () => platform.addAnew(session(one)),
      living: () => platform.living(added, NOW_MS),
    },
    createSessionStore: {
      async add() {
        await sessions.add(added)
        await sessions.add(session(one))
      },
      addAnew: () => sessions.addAnew(session(one)),
      living: () => sessions.living(added, NOW_MS),
      find: () => sessions.find(added),
      rotate: () =>
        sessions.rotate(added, {
          presentedHash: bytes(32),
          generation: 2,
          kid: 'k1',
          nextHash: bytes(32),
          atMs: NOW_MS,
          expiresAtMs: NOW_MS + 1000,
        }),
      list: () => sessions.list(one, NOW_MS),
      endOldest: () => sessions.endOldest(one, 1, NOW_MS),
      end: () => sessions.end(added, NOW_MS),
      endAll: () => sessions.endAll(one, NOW_MS),
    },
    createSessionEnding: {
      async next() {
        await sessions.add(session(one))
        await stores.createSessionEnding.next(NOW_MS)
      },
      async end() {
        const page = await stores.createSessionEnding.next(NOW_MS)
        if (page) await stores.createSessionEnding.end(page, NOW_MS)
      },
    },
    createCodeClaimStore: {
      async claim() {
        await claims.claim(bytes(32), { nonceDigest: bytes(32), atMs: NOW_MS })
        await claims.claim(bytes(32), { nonceDigest: bytes(32), atMs: NOW_MS })
      },
      settle: () => claims.settle(bytes(32), { userId: one }),
      release: () => claims.release(bytes(32)),
    },
    createAudit: { record: () => stores.createAudit.record('person-forgotten', audited) },
    auditPages: {
      async auditPages() {
        for await (const page of stores.auditPages.auditPages()) void page
      },
    },
    createCounterStore: {
      increment: () => counters.increment('login 10.0.0.1', window),
      decrement: () => counters.decrement('login 10.0.0.1', window),
    },
  }
}

/** A database that does not tell what `last_insert_id` was given. */
function withoutHandedOnIds(db: Db): Db {
  return {
    ...db,
    async query(sql, parameters) {
      const { lastInsertId: _untold, ...result } = await db.query(sql, parameters)
      return result
    },
  }
}
