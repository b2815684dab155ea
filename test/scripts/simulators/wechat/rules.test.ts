import { describe, expect, test } from 'vitest'
import { createClock } from '../../../../scripts/simulators/wechat/clock.ts'
import { orderPhoneCode } from '../../../../scripts/simulators/wechat/control.ts'
import { sessionSignature } from '../../../../scripts/simulators/wechat/encryption.ts'
import { issueLoginCode } from '../../../../scripts/simulators/wechat/login.ts'
import { answerAsWeChat } from '../../../../scripts/simulators/wechat/routes.ts'
import { createWorld, type World } from '../../../../scripts/simulators/wechat/world.ts'
import { APPID, SECRET } from './started.ts'

/** Rules of the real platform, each as a check that names itself when it does not hold. */
const rules: Record<string, (world: World) => boolean> = {
  'a login code works once': (world) => {
    const { code } = issueLoginCode(world, {})
    exchange(world, code)
    return exchange(world, code).errcode === 40163
  },
  'a login code ends after five minutes': (world) => {
    const { code } = issueLoginCode(world, {})
    world.clock.advance(300_000)
    return exchange(world, code).errcode === 40029
  },
  'a phone code works once': (world) => {
    const { openid } = issueLoginCode(world, {})
    const { code } = orderPhoneCode(world, { openid, phone: '13800138000' })
    phone(world, code)
    return phone(world, code).errcode === 40029
  },
  'a new code makes the former session_key stale': (world) => {
    const { code, openid } = issueLoginCode(world, {})
    const former = String(exchange(world, code).session_key)
    exchange(world, issueLoginCode(world, { openid }).code)
    return checkSession(world, openid, former).errcode === 87009
  },
  'a user has 100 exchanges a minute': (world) => {
    const { openid } = issueLoginCode(world, {})
    for (let count = 0; count < 100; count += 1) {
      exchange(world, issueLoginCode(world, { openid }).code)
    }
    return exchange(world, issueLoginCode(world, { openid }).code).errcode === 45011
  },
  'stable_token repeats its token': (world) => {
    const first = world.tokens.stable()
    return world.tokens.stable().access_token === first.access_token
  },
  'a dead token is refused': (world) => {
    const access_token = world.tokens.stable().access_token
    world.tokens.forced()
    return ask(world, 'GET', '/wxa/checksession', { access_token }).errcode === 40001
  },
  'a stale visitor gets no content check': (world) => {
    const { openid } = issueLoginCode(world, {})
    world.clock.advance(2 * 3600_000 + 1)
    return checkText(world, openid).errcode === 61010
  },
}

/** The rules broken in turn: what a careless simulator would do. */
const mutants: Record<string, (world: World) => World> = {
  'codes are never used up': (world) => ({
    ...world,
    codes: { ...world.codes, markUsed: () => undefined },
  }),
  'codes never end': (world) => {
    const frozen = createWorld(
      world.app,
      createClock(() => 0),
    ).codes
    return { ...world, codes: frozen }
  },
  'session keys stay the same': (world) => ({
    ...world,
    users: {
      ...world.users,
      rotateSessionKey: (user) => {
        user.sessionKey ??= world.users.rotateSessionKey(user)
        return user.sessionKey
      },
    },
  }),
  'exchanges are not counted': (world) => ({
    ...world,
    users: { ...world.users, countExchange: () => true },
  }),
  'every stable_token is new': (world) => ({
    ...world,
    tokens: { ...world.tokens, stable: world.tokens.classic },
  }),
  'any token is good': (world) => ({
    ...world,
    tokens: { ...world.tokens, problemWith: () => undefined },
  }),
}

const caughtBy: Record<string, string[]> = {
  'codes are never used up': ['a login code works once', 'a phone code works once'],
  'codes never end': ['a login code ends after five minutes'],
  'session keys stay the same': ['a new code makes the former session_key stale'],
  'exchanges are not counted': ['a user has 100 exchanges a minute'],
  'every stable_token is new': ['stable_token repeats its token', 'a dead token is refused'],
  'any token is good': ['a dead token is refused'],
}

function brokenRules(alter: (world: World) => World): string[] {
  return Object.entries(rules)
    .filter(([, holds]) => !holds(alter(freshWorld())))
    .map(([name]) => name)
}

function freshWorld(): World {
  return createWorld(
    { appid: APPID, secret: SECRET },
    createClock(() => 1_700_000_000_000),
  )
}

function ask(
  world: World,
  method: string,
  path: string,
  query: Record<string, string>,
  body?: unknown,
): Record<string, unknown> {
  const bodyText = body === undefined ? '' : JSON.stringify(body)
  const request = { method, path, query: new URLSearchParams(query), bodyText }
  return JSON.parse(answerAsWeChat(world, request).body.toString('utf8'))
}

function exchange(world: World, js_code: string) {
  const query = { appid: APPID, secret: SECRET, js_code, grant_type: 'authorization_code' }
  return ask(world, 'GET', '/sns/jscode2session', query)
}

function phone(world: World, code: string) {
  const { access_token } = world.tokens.stable()
  return ask(world, 'POST', '/wxa/business/getuserphonenumber', { access_token }, { code })
}

function checkSession(world: World, openid: string, sessionKey: string) {
  const { access_token } = world.tokens.stable()
  const signature = sessionSignature(sessionKey)
  const query = { access_token, openid, signature, sig_method: 'hmac_sha256' }
  return ask(world, 'GET', '/wxa/checksession', query)
}

function checkText(world: World, openid: string) {
  const { access_token } = world.tokens.stable()
  const body = { version: 2, scene: 2, openid, content: '好' }
  return ask(world, 'POST', '/wxa/msg_sec_check', { access_token }, body)
}

describe('the rules can tell a careless simulator from this one', () => {
  test('this one keeps them all', () => {
    expect(brokenRules((world) => world)).toEqual([])
  })

  test.each(Object.entries(mutants))('%s: caught', (name, alter) => {
    expect(brokenRules(alter)).toEqual(caughtBy[name])
  })
})
