/** The three functions in this process, from their sources: what a drill calls thousands of times, with parts put in their place. */

import { devices, endDevice } from '../../functions/login/devices.ts'
import { forgetMe } from '../../functions/login/forget-me.ts'
import { login } from '../../functions/login/login.ts'
import { logout } from '../../functions/login/logout.ts'
import { parts as loginParts } from '../../functions/login/parts.ts'
import { phone } from '../../functions/login/phone.ts'
import { refresh } from '../../functions/login/refresh.ts'
import { unbindPhone } from '../../functions/login/unbind-phone.ts'
import { userData } from '../../functions/login/user-data.ts'
import { accountScores } from '../../functions/query-scores/account-scores.ts'
import { form } from '../../functions/query-scores/form.ts'
import { ownScores } from '../../functions/query-scores/own-scores.ts'
import { parts as queryParts } from '../../functions/query-scores/parts.ts'
import { summary } from '../../functions/query-scores/summary.ts'
import { parts as submitParts } from '../../functions/submit-score/parts.ts'
import { submitScore } from '../../functions/submit-score/submit-score.ts'
import type { AnyEndpoint } from '../../shared/endpoint.ts'
import { createLogger } from '../../shared/log.ts'
import type { Tokens } from '../../shared/ports.ts'
import { createSessions } from '../../shared/session/sessions.ts'
import { createTokenSigner } from '../../shared/session/token.ts'
import { serve } from '../../shared/transport/serve.ts'
import { machine } from '../../shared/wiring/clock.ts'
import { type Part, part } from '../../shared/wiring/compose.ts'
import type { Environment } from '../../shared/wiring/configuration.ts'
import {
  fakeCodeClaims,
  fakeCounters,
  fakeForgetting,
  fakePeople,
  fakePlatformSessions,
  fakeRatings,
  fakeSessionStore,
  fakeWeChat,
} from './drill-fake-world.ts'

export type FunctionName = 'login' | 'submit-score' | 'query-scores'
export type DrillFunctions = ReturnType<typeof functionsInProcess>

const endpoints = {
  login: [login, refresh, logout, devices, endDevice, phone, unbindPhone, userData, forgetMe],
  submitScore: [submitScore, ownScores],
  queryScores: [ownScores, accountScores, summary, form],
}

/** Every endpoint by its route. */
export const endpointAt: ReadonlyMap<string, AnyEndpoint<never>> = new Map(
  Object.values(endpoints)
    .flat()
    .map((endpoint) => [endpoint.route, endpoint as AnyEndpoint<never>]),
)

/** Parts that take the place of those of the same name, in the functions that have such. */
export type OtherParts = Readonly<Record<string, Part<unknown>>>

/** The functions on an environment; `write` takes their log lines. */
export function functionsInProcess(
  env: Environment,
  { write = () => {}, others = {} }: { write?: (line: string) => void; others?: OtherParts } = {},
) {
  const common = (functionName: FunctionName) => ({
    functionName,
    env,
    log: createLogger({ functionName, now: machine.now, write }),
  })
  return {
    login: serve({
      ...common('login'),
      parts: replaced(loginParts, others),
      endpoints: endpoints.login,
    }),
    'submit-score': serve({
      ...common('submit-score'),
      parts: replaced(submitParts, others),
      endpoints: endpoints.submitScore,
    }),
    'query-scores': serve({
      ...common('query-scores'),
      parts: replaced(queryParts, others),
      endpoints: endpoints.queryScores,
    }),
  }
}

/** Only what the function has is replaced. */
function replaced<P extends object>(parts: P, others: OtherParts): P {
  const own = Object.entries(others).filter(([name]) => name in parts)
  return { ...parts, ...Object.fromEntries(own) }
}

/** Parts that keep nothing and ask nobody: see `drill-fake-world.ts`. Sessions and tokens are the real ones. */
export function fakeParts(signer: Pick<Tokens, 'sign'>, key: { kid: string; secret: Uint8Array }) {
  const sessions = createSessions({
    store: fakeSessionStore,
    tokens: signer,
    keys: [key],
    now: machine.now,
    maxAgeMs: 86_400_000,
  })
  return {
    sessions: part([], () => sessions),
    sessionStore: part([], () => fakeSessionStore),
    platformSessions: part([], () => fakePlatformSessions),
    ratings: part([], () => fakeRatings),
    ownRatings: part([], () => fakeRatings),
    submissions: part([], () => fakeRatings),
    people: part([], () => fakePeople),
    codeClaims: part([], () => fakeCodeClaims),
    counters: part([], () => fakeCounters),
    forgetting: part([], () => fakeForgetting),
    audit: part([], () => ({ record: async () => {} })),
    wechat: part([], () => fakeWeChat),
    limiter: part([], () => ({ admit: async () => {} })),
  }
}

/** A signer as the functions have it by an environment whose first token key is `key`. */
export function drillSigner(audience: string, key: { kid: string; secret: Uint8Array }) {
  return createTokenSigner({
    keys: [key],
    issuer: 'miniscore',
    audience,
    lifetimeSeconds: 900,
    clockToleranceSeconds: 60,
    now: machine.now,
  })
}
