/** Mini programs, their people, and the codes those hand out. */

import { button, byId, choice, draw, element, words } from './element.ts'
import { order, say } from './orders.ts'
import type { AppReading, CodeReading, PersonReading, SimulatorState } from './told.ts'

const STATES = ['active', 'secret-frozen', 'account-frozen']

/** A time of the simulator, of its day unless that is another one. */
export function timeOf(iso: string): string {
  return new Date(iso).toLocaleTimeString('sv-SE')
}

export function drawPeople(state: SimulatorState): void {
  draw('apps', state.apps.map(withoutPeople), () => state.apps.map(appCard))
  draw(
    'people',
    state.apps.map(({ appid, people }) => [appid, people]),
    () =>
      state.apps.flatMap((app) => [
        ...(state.apps.length > 1 ? [element('h3', { textContent: app.appid })] : []),
        ...app.people.map((person) => personRow(app.appid, person)),
        ...(app.peopleCount > app.people.length
          ? [
              element('p', {
                className: 'muted',
                textContent: `The newest ${app.people.length} of ${app.peopleCount}.`,
              }),
            ]
          : []),
        element(
          'div',
          { className: 'row' },
          button(`new ${app.appid}`, words('+ Somebody new', '新用户'), () =>
            issueCode({ appid: app.appid }),
          ),
        ),
      ]),
  )
  draw('codes', state.codes, () => state.codes.map(codeRow))
  byId('no-codes').hidden = state.codes.length > 0
}

function withoutPeople({ people: _people, peopleCount: _count, ...app }: AppReading): unknown {
  return app
}

function issueCode(body: object) {
  return order<{ code: string }>('/sim/codes', body, ({ code }) => `A login code: ${code}`)
}

function personRow(
  appid: string,
  { openid, unionid, risk, riskRank, sessionKey, seen }: PersonReading,
) {
  const of = { openid, appid }
  const facts = [
    seen === null ? 'not seen yet' : `seen ${timeOf(seen)}`,
    sessionKey === null ? 'no session_key' : `session_key ${sessionKey}`,
    ...(unionid === null ? [] : [`unionid ${unionid}`]),
  ]
  const blocked = element('input', { type: 'checkbox', checked: risk })
  blocked.dataset.key = `risk ${appid} ${openid}`
  blocked.addEventListener(
    'change',
    () => void order('/sim/users', { ...of, risk: blocked.checked }),
  )
  const rank = choice(
    `rank ${appid} ${openid}`,
    'Risk rank',
    ['0', '1', '2', '3', '4'],
    String(riskRank),
    (value) => order('/sim/users', { ...of, riskRank: Number(value) }),
  )
  return element(
    'article',
    { className: 'entry' },
    element('div', { className: 'name', textContent: openid }),
    element('p', { className: 'facts', textContent: facts.join(' · ') }),
    element(
      'div',
      { className: 'row' },
      button(`code ${appid} ${openid}`, words('Login code', '登录'), () => issueCode(of)),
      button(`phone ${appid} ${openid}`, words('Phone code', '手机号'), () =>
        order<{ code: string }>(
          '/sim/phone-codes',
          { ...of, phone: byId<HTMLInputElement>('phone').value },
          ({ code }) => `A phone code: ${code}`,
        ),
      ),
      button(`end ${appid} ${openid}`, words('End session', '失效'), () =>
        order('/sim/sessions/end', of, () => `The session_key of ${openid} has ended: 87007.`),
      ),
      element(
        'span',
        { className: 'pair' },
        element('label', { title: 'Codes are refused with 40226' }, blocked, ' blocked'),
        element('label', { title: 'What getuserriskrank answers' }, 'rank ', rank),
      ),
    ),
  )
}

function codeRow({ code, kind, openid, state, expiresAt }: CodeReading): HTMLElement {
  return element(
    'li',
    { className: `code ${state}` },
    element('code', { textContent: shortened(code), title: code }),
    element('span', { className: `chip ${state}`, textContent: state }),
    element('span', {
      className: 'muted',
      textContent: `${kind} · ${shortened(openid)} · until ${timeOf(expiresAt)}`,
    }),
    button(`copy ${code}`, words('Copy', '复制'), async () => {
      await navigator.clipboard.writeText(code).then(
        () => say(`Copied: ${code}`),
        () => say(`The browser does not let it be copied: ${code}`),
      )
    }),
  )
}

function shortened(text: string): string {
  return text.length > 18 ? `${text.slice(0, 8)}…${text.slice(-6)}` : text
}

function appCard(app: AppReading): HTMLElement {
  const { appid, secret, state, tokens, quotas, forcedRefreshesLeft, ipList } = app
  const lines = [
    `secret ${secret}`,
    ...tokens.map(({ token, kind, expiresAt }) => `${kind} ${token} until ${timeOf(expiresAt)}`),
    ...(tokens.length === 0 ? ['no access token'] : []),
    `${forcedRefreshesLeft} forced refreshes left today`,
    ...(ipList.length > 0 ? [`tokens only for ${ipList.join(', ')}`] : []),
    ...quotas.map(
      ({ path, today, perDay }) =>
        `${path} ${today}${perDay === null ? '' : ` of ${perDay.toLocaleString('en')}`} today`,
    ),
    ...app.messages
      .slice(-3)
      .map(({ openid, data }) => `message to ${openid}: ${Object.values(data).join(' / ')}`),
  ]
  return element(
    'article',
    { className: 'entry' },
    element('div', { className: 'name', textContent: appid }),
    element(
      'ul',
      { className: 'facts' },
      ...lines.map((textContent) => element('li', { textContent })),
    ),
    element(
      'div',
      { className: 'row' },
      choice(`state ${appid}`, `State of ${appid}`, STATES, state, (value) =>
        order('/sim/apps', { appid, state: value }),
      ),
      button(`revoke ${appid}`, words('Kill its tokens', '令牌失效'), () =>
        order('/sim/tokens/revoke', { appid }, () => 'Its access tokens are dead: 40001.'),
      ),
    ),
  )
}
