import { randomBytes } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import type { SessionRecord } from '../../../shared/ports.ts'
import { newSession } from '../../../shared/session/new-session.ts'
import {
  judgeRefresh,
  makeRefreshToken,
  type PresentedToken,
  REFRESH_GRACE_MS,
  readRefreshToken,
} from '../../../shared/session/refresh-token.ts'
import { sha256 } from '../../../shared/session/session-check.ts'

const START_MS = Date.UTC(2026, 0, 1)
const ROTATED_MS = START_MS + 60_000
const keys = new Map([
  ['k1', new Uint8Array(randomBytes(32))],
  ['k2', new Uint8Array(randomBytes(32))],
])
const claims = { userId: uuidV7(), sessionId: uuidV7() }
const secretOf = (kid: string) => keys.get(kid)

function tokenOf(generation: number, secret = keys.get('k1')): string {
  return makeRefreshToken(secret ?? new Uint8Array(), { ...claims, kid: 'k1', generation })
}
function present(token: string, proof?: string): PresentedToken {
  const presented = readRefreshToken(token, proof, secretOf)
  if (!presented) throw new Error('no refresh token')
  return presented
}

/** A session that was refreshed twice: generation 2 is in force, 1 is the one before. */
function sessionWith(changes: Partial<SessionRecord> = {}): SessionRecord {
  const own = { ...claims, kind: 'code', device: '', proofHash: null } as const
  return {
    ...newSession(
      { ...own, refreshKid: 'k1', refreshHash: sha256(tokenOf(2)) },
      START_MS,
      Number.POSITIVE_INFINITY,
    ),
    refreshGeneration: 2,
    previousHash: sha256(tokenOf(1)),
    rotatedAtMs: ROTATED_MS,
    ...changes,
  }
}
const judge = (token: string, session: SessionRecord | undefined, nowMs = ROTATED_MS + 1) =>
  judgeRefresh(session, present(token), nowMs).verdict

describe('a refresh token', () => {
  test('says whose session it is and how often that was refreshed', () => {
    expect(present(tokenOf(7))).toMatchObject({ ...claims, kid: 'k1', generation: 7 })
  })

  test('is authentic when one of our keys made it', () => {
    expect(present(tokenOf(0)).isAuthentic).toBe(true)
  })

  test('is not authentic when another key made it', () => {
    expect(present(tokenOf(0, keys.get('k2'))).isAuthentic).toBe(false)
  })

  test('is not authentic once its key is gone', () => {
    expect(readRefreshToken(tokenOf(0), undefined, () => undefined)?.isAuthentic).toBe(false)
  })

  test.each([
    '',
    'x',
    'rt_k1.',
    `rt_k1.${'A'.repeat(90)}`,
    `rt_.${'A'.repeat(91)}`,
    `${tokenOf(0)}A`,
  ])('"%s" is none', (text) => {
    expect(readRefreshToken(text, undefined, secretOf)).toBeUndefined()
  })
})

describe('presenting a refresh token', () => {
  test('that is in force moves the session on', () => {
    expect(judge(tokenOf(2), sessionWith())).toBe('rotate')
  })

  test('that was in force a moment ago gives the one in force again', () => {
    const session = sessionWith()
    const lastMs = ROTATED_MS + REFRESH_GRACE_MS - 1
    expect(judgeRefresh(session, present(tokenOf(1)), lastMs)).toEqual({
      verdict: 'repeat',
      session,
    })
  })

  test('that was in force before, after its grace, is a reuse', () => {
    expect(judge(tokenOf(1), sessionWith(), ROTATED_MS + REFRESH_GRACE_MS)).toBe('reuse')
  })

  test('that is two generations old is a reuse at once', () => {
    expect(judge(tokenOf(0), sessionWith(), ROTATED_MS)).toBe('reuse')
  })

  test.each([
    ['of an old generation that none of our keys made', tokenOf(0, keys.get('k2'))],
    ['of a generation to come', tokenOf(3)],
    ['of the generation in force with other bytes', tokenOf(2, keys.get('k2'))],
  ])('%s is a guess, and ends nothing', (_name, token) => {
    expect(judge(token, sessionWith())).toBe('reject')
  })

  test('of a session that is not there is refused', () => {
    expect(judge(tokenOf(2), undefined)).toBe('reject')
  })

  test.each([tokenOf(2), tokenOf(1), tokenOf(0)])(
    'of a session that was ended is refused',
    (token) => {
      expect(judge(token, sessionWith({ endedAtMs: ROTATED_MS }))).toBe('reject')
    },
  )

  test('of a session is refused from the moment it expires, and not before', () => {
    const session = sessionWith()
    expect(judge(tokenOf(2), session, session.expiresAtMs - 1)).toBe('rotate')
    expect(judge(tokenOf(2), session, session.expiresAtMs)).toBe('reject')
  })

  test.each([
    ['the secret', 'secret', 'rotate'],
    ['another secret', 'guess', 'reject'],
    ['no secret', undefined, 'reject'],
  ])('of a session bound to a secret, with %s', (_name, proof, verdict) => {
    const session = sessionWith({ proofHash: sha256('secret') })
    const judged = judgeRefresh(session, present(tokenOf(2), proof), ROTATED_MS)
    expect(judged.verdict).toBe(verdict)
  })
})
