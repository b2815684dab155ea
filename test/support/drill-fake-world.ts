/** The outside world of drill D: answers everything at once, keeps nothing, and is never down. */

import type {
  CodeClaimStore,
  CounterStore,
  Forgetting,
  PersonStore,
  PlatformSessions,
  RatingStore,
  Score,
  SessionRecord,
  SessionStore,
  WeChat,
} from '../../shared/ports.ts'

/** Everybody is this person. */
export const somebody = {
  userId: '0197f3a2-0000-7000-8000-000000000001',
  sessionId: '0197f3a2-0000-7000-8000-000000000002',
  openid: 'oSomebodyOfTheDrill00000001',
}

/** Never sent: answers hold what their schemas name. */
export const HIDDEN = 'hidden-from-callers'

const hash = new Uint8Array(32)

const session: SessionRecord = {
  ...somebody,
  kind: 'code',
  device: 'phone',
  createdAtMs: Date.now(),
  lastUsedAtMs: Date.now(),
  expiresAtMs: Date.now() + 86_400_000,
  endedAtMs: null,
  refreshGeneration: 1,
  refreshKid: 'k1',
  refreshHash: hash,
  previousHash: null,
  rotatedAtMs: 0,
  proofHash: null,
}

const score: Score & { hidden: string } = {
  id: '0197f3a2-0000-7000-8000-000000000003',
  acc_nbr: '13800138000',
  grade1: 5,
  grade2: null,
  grade3: 1,
  txt1: '很好',
  txt2: '',
  txt3: '',
  insertTimeMs: 1_750_000_000_000,
  hidden: HIDDEN,
}

const living = async (claims: { userId: string; sessionId: string }) => ({
  ...claims,
  openid: somebody.openid,
  phone: null,
  proofHash: null,
})

export const fakeSessionStore: SessionStore = {
  add: async () => {},
  addAnew: async () => {},
  living,
  find: async (claims) => ({ ...session, ...claims }),
  rotate: async () => true,
  list: async () => [session],
  end: async () => true,
  endAll: async () => {},
  endOldest: async () => {},
}

export const fakePlatformSessions: PlatformSessions = { enter: () => living(somebody) }

export const fakeRatings: RatingStore = {
  addScore: async () => ({ result: 'added', id: score.id }),
  scoresByAuthor: async () => [score],
  scoresOfAccount: async () => [score],
  countsOfAccount: async () => ({
    count: 1,
    grades: { grade1: { '5': 1 }, grade2: {}, grade3: { '1': 1 } },
    hidden: HIDDEN,
  }),
}

export const fakePeople: PersonStore = {
  identify: async () => somebody.userId,
  noteLogin: async () => somebody.userId,
  sessionKeys: async () => [],
  resealSessionKey: async () => {},
  phone: async () => undefined,
  bindPhone: async () => ({ wasTakenOver: false }),
  phoneHolder: async () => undefined,
  unbindPhone: async () => {},
  notePhone: async () => {},
  leave: async () => {},
  erase: async () => {},
  whoLeft: async () => undefined,
  eraseLast: async () => {},
}

export const fakeCodeClaims: CodeClaimStore = {
  claim: async () => undefined,
  settle: async () => {},
  release: async () => {},
}

export const fakeCounters: CounterStore = { increment: async () => 1, decrement: async () => {} }

export const fakeForgetting: Forgetting = {
  forget: async () => true,
  finish: async () => 0,
  finishSome: async () => {},
}

export const fakeWeChat: WeChat = {
  exchangeCode: async () => ({
    openid: somebody.openid,
    sessionKey: 'AAAAAAAAAAAAAAAAAAAAAA==',
    unionid: null,
  }),
  exchangePhoneCode: async () => ({ purePhoneNumber: '13800138000', countryCode: '86' }),
}
