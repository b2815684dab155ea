import { describe, expect, test } from 'vitest'
import { createClock } from '../../../../scripts/simulators/wechat/clock.ts'
import { orderPhoneCode, orderUser } from '../../../../scripts/simulators/wechat/control.ts'
import {
  orderApp,
  orderSubscription,
  orderTemplate,
} from '../../../../scripts/simulators/wechat/control-apps.ts'
import { sessionSignature } from '../../../../scripts/simulators/wechat/encryption.ts'
import { issueLoginCode } from '../../../../scripts/simulators/wechat/login.ts'
import { answerAsWeChat } from '../../../../scripts/simulators/wechat/routes.ts'
import { createWorld, type World } from '../../../../scripts/simulators/wechat/world.ts'
import { APPID, SECRET } from './started.ts'

const APP = { appid: APPID, secret: SECRET }

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
    const first = world.apps.first.tokens.stable()
    return world.apps.first.tokens.stable().access_token === first.access_token
  },
  'a dead token is refused': (world) => {
    const access_token = world.apps.first.tokens.stable().access_token
    world.apps.first.tokens.forced()
    return ask(world, 'GET', '/wxa/checksession', { access_token }).errcode === 40001
  },
  'a stale visitor gets no content check': (world) => {
    const { openid } = issueLoginCode(world, {})
    world.clock.advance(2 * 3600_000 + 1)
    return checkText(world, openid).errcode === 61010
  },
  'a used up day of an endpoint is 45009': (world) => {
    const { openid } = issueLoginCode(world, {})
    orderApp(world, { appid: APPID, quotas: { '/wxa/msg_sec_check': { perDay: 1 } } })
    checkText(world, openid)
    return checkText(world, openid).errcode === 45009
  },
  'a subscribe message needs a tap each': (world) => {
    const { openid } = issueLoginCode(world, {})
    orderTemplate(world, { templateId: 't', keys: ['thing1'] })
    orderSubscription(world, { openid, templateId: 't', times: 1 })
    send(world, openid)
    return send(world, openid).errcode === 43101
  },
  'an address that is not listed gets no token': (world) => {
    orderApp(world, { appid: APPID, ipList: ['203.0.113.7'] })
    return classicToken(world).errcode === 40164
  },
  'a frozen secret is refused': (world) => {
    orderApp(world, { appid: APPID, state: 'secret-frozen' })
    return classicToken(world).errcode === 40243
  },
  'a blocked person is refused': (world) => {
    const { code, openid } = issueLoginCode(world, {})
    orderUser(world, { openid, risk: true })
    return exchange(world, code).errcode === 40226
  },
  'a token is good for its own mini program alone': (world) => {
    const { openid } = issueLoginCode(world, {})
    const other = world.apps.add({ appid: 'wxother', secret: 's' })
    return checkText(world, openid, other.tokens.stable().access_token).errcode === 43104
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
      createClock(() => 0),
      { app: APP },
    ).codes
    return { ...world, codes: frozen }
  },
  'session keys stay the same': (world) => {
    const { users } = world.apps.first
    const { rotateSessionKey } = users
    users.rotateSessionKey = (user) => {
      user.sessionKey ??= rotateSessionKey(user)
      return user.sessionKey
    }
    return world
  },
  'exchanges are not counted': (world) => {
    world.apps.first.users.countExchange = () => true
    return world
  },
  'every stable_token is new': (world) => {
    const { tokens } = world.apps.first
    tokens.stable = tokens.classic
    return world
  },
  'any token is good': (world) => {
    world.apps.first.tokens.problemWith = () => undefined
    return world
  },
  'visitors never go stale': (world) => {
    const { users } = world.apps.first
    const { find } = users
    users.find = (openid) => {
      const user = find(openid)
      return user && { ...user, lastCodeAtMs: world.clock.now() }
    }
    return world
  },
  'addresses are not looked at': (world) => {
    Object.defineProperty(world.apps.first, 'ipList', { get: () => [], set: () => undefined })
    return world
  },
  'nothing freezes': (world) => {
    Object.defineProperty(world.apps.first, 'state', { get: () => 'active', set: () => undefined })
    return world
  },
  'nobody is blocked': (world) => {
    const { users } = world.apps.first
    const { ensure } = users
    users.ensure = (openid) => {
      const never = { get: () => false, set: () => undefined, configurable: true }
      return Object.defineProperty(ensure(openid), 'risk', never)
    }
    return world
  },
  'calls are not counted': (world) => {
    world.apps.first.quotas.count = () => undefined
    return world
  },
  'consent lasts for ever': (world) => {
    world.apps.first.subscriptions.left = () => 1
    return world
  },
  'every token is of the first mini program': (world) => {
    const { apps } = world
    apps.first.tokens.problemWith = () => undefined
    return { ...world, apps: { ...apps, ofToken: () => apps.first } }
  },
}

const caughtBy: Record<string, string[]> = {
  'codes are never used up': ['a login code works once', 'a phone code works once'],
  'codes never end': ['a login code ends after five minutes'],
  'session keys stay the same': ['a new code makes the former session_key stale'],
  'exchanges are not counted': ['a user has 100 exchanges a minute'],
  'every stable_token is new': ['stable_token repeats its token', 'a dead token is refused'],
  'any token is good': ['a dead token is refused'],
  'visitors never go stale': ['a stale visitor gets no content check'],
  'addresses are not looked at': ['an address that is not listed gets no token'],
  'nothing freezes': ['a frozen secret is refused'],
  'nobody is blocked': ['a blocked person is refused'],
  'calls are not counted': ['a used up day of an endpoint is 45009'],
  'consent lasts for ever': ['a subscribe message needs a tap each'],
  'every token is of the first mini program': [
    'a dead token is refused',
    'a token is good for its own mini program alone',
  ],
}

function brokenRules(alter: (world: World) => World): string[] {
  return Object.entries(rules)
    .filter(([, holds]) => !holds(alter(freshWorld())))
    .map(([name]) => name)
}

function freshWorld(): World {
  return createWorld(
    createClock(() => 1_700_000_000_000),
    { app: APP },
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
  const request = {
    method,
    path,
    query: new URLSearchParams(query),
    bodyText,
    clientIp: '127.0.0.1',
  }
  return JSON.parse(answerAsWeChat(world, request).body.toString('utf8'))
}

function exchange(world: World, js_code: string) {
  const query = { appid: APPID, secret: SECRET, js_code, grant_type: 'authorization_code' }
  return ask(world, 'GET', '/sns/jscode2session', query)
}

function phone(world: World, code: string) {
  const { access_token } = world.apps.first.tokens.stable()
  return ask(world, 'POST', '/wxa/business/getuserphonenumber', { access_token }, { code })
}

function checkSession(world: World, openid: string, sessionKey: string) {
  const { access_token } = world.apps.first.tokens.stable()
  const signature = sessionSignature(sessionKey)
  const query = { access_token, openid, signature, sig_method: 'hmac_sha256' }
  return ask(world, 'GET', '/wxa/checksession', query)
}

function checkText(
  world: World,
  openid: string,
  access_token = world.apps.first.tokens.stable().access_token,
) {
  const body = { version: 2, scene: 2, openid, content: '好' }
  return ask(world, 'POST', '/wxa/msg_sec_check', { access_token }, body)
}

function classicToken(world: World) {
  return ask(world, 'GET', '/cgi-bin/token', { ...APP, grant_type: 'client_credential' })
}

function send(world: World, touser: string) {
  const { access_token } = world.apps.first.tokens.stable()
  const body = { touser, template_id: 't', data: { thing1: { value: '好' } } }
  return ask(world, 'POST', '/cgi-bin/message/subscribe/send', { access_token }, body)
}

describe('the rules can tell a careless simulator from this one', () => {
  test('this one keeps them all', () => {
    expect(brokenRules((world) => world)).toEqual([])
  })

  test.each(Object.entries(mutants))('%s: caught', (name, alter) => {
    expect(brokenRules(alter)).toEqual(caughtBy[name])
  })
})
