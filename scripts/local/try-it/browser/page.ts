/** The page: whose phone, the phone, and what happens meanwhile. */

import { byId, element } from './element.ts'
import { createRequests } from './requests.ts'
import { createRows } from './rows.ts'
import type { About, News, Person, Table } from './told.ts'

/** What the example leaves in its frame. */
interface PhoneWindow extends Window {
  getApp?: () => { account?: string }
}

const RESULT_PAGE = 'pages/result/result'
const RETRY_MS = 2000

const frame = document.querySelector('iframe') as HTMLIFrameElement
const people = new Map<string, Person>()
let current = ''

const requests = createRequests((openid) => people.get(openid)?.name ?? openid)
const rows = createRows((acc_nbr) => openPhone(RESULT_PAGE, acc_nbr))

async function ask<Answer>(path: string, body?: string): Promise<Answer> {
  const post = body === undefined ? {} : { method: 'POST', body }
  const answer = await fetch(`/try-it/${path}`, post)
  if (!answer.ok) throw new Error(await answer.text())
  return (await answer.json()) as Answer
}

function say(sentence: string, isWrong = false): void {
  byId('status').textContent = sentence
  byId('status').className = isWrong ? 'wrong' : ''
}

/** Opens the mini program on the phone of whoever is chosen; where it was left unless told. */
function openPhone(page = leftAt(), account = accountLeft()): void {
  const query = new URLSearchParams({ person: current, ...(account ? { account } : {}) })
  const address = `/try-it/phone/?${query}#${page}`
  // The hash alone would not load it again.
  const isLoaded = frame.contentWindow?.location.pathname === '/try-it/phone/'
  if (isLoaded && frame.contentWindow?.location.search === `?${query}`) {
    frame.contentWindow.location.hash = page
    frame.contentWindow.location.reload()
  } else frame.contentWindow?.location.replace(address)
}

function leftAt(): string {
  return frame.contentWindow?.location.hash.slice(1) ?? ''
}

function accountLeft(): string | undefined {
  return (frame.contentWindow as PhoneWindow | null)?.getApp?.().account
}

/** Hands the phone to somebody; the page that is open on it stays open. */
async function choose(openid: string): Promise<void> {
  current = openid
  const { name = '', role = '' } = people.get(openid) ?? {}
  try {
    await ask('people/prepare', openid)
    if (current !== openid) return
    history.replaceState(null, '', `#${openid}`)
    openPhone()
    say(`The phone of ${name} (${role}).`)
  } catch (error) {
    say((error as Error).message, true)
  }
}

function addPerson(person: Person): HTMLInputElement {
  people.set(person.openid, person)
  const input = element('input', { type: 'radio', name: 'person', value: person.openid })
  input.addEventListener('change', () => choose(person.openid))
  const name = element('b', { lang: 'zh-CN', textContent: person.name })
  const role = element('span', { textContent: person.role })
  byId('new-person').before(element('label', { className: 'person' }, input, name, role))
  return input
}

async function showRows(): Promise<void> {
  rows.show(await ask<Table[]>('rows'))
}

/** Asks for what is new for as long as the page is open. */
async function listen(): Promise<never> {
  let run = ''
  let after = 0
  for (let isLost = false; ; ) {
    try {
      const news = await ask<News>(`news?run=${run}&after=${after}`)
      if (isLost) say('Connected again.')
      isLost = false
      if (news.run !== run) requests.restart()
      run = news.run
      after = news.version
      requests.show(news.exchanges)
      if (news.otherLines) showOtherLines(news.otherLines)
      if (news.exchanges.length > 0) await showRows()
    } catch {
      isLost = true
      say('Nothing answers any more: is npm run dev still running?', true)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

function showOtherLines(lines: readonly string[]): void {
  const box = byId('other-lines')
  box.hidden = lines.length === 0
  const [text] = box.getElementsByTagName('pre')
  if (text) text.textContent = lines.join('\n')
}

async function start(): Promise<void> {
  const about = await ask<About>('about')
  for (const { href, text } of about.links) {
    byId('links').append(element('a', { href, textContent: text }))
  }
  const another = element('button', { type: 'button', id: 'new-person' }, '+ somebody new')
  another.addEventListener('click', async () => {
    try {
      addPerson(await ask<Person>('people/new', '')).click()
    } catch (error) {
      say((error as Error).message, true)
    }
  })
  byId('people').append(another)
  const inputs = about.people.map(addPerson)
  const wanted = inputs.find(({ value }) => value === location.hash.slice(1)) ?? inputs[0]
  wanted?.click()

  for (const button of document.querySelectorAll<HTMLElement>('[data-page]')) {
    button.addEventListener('click', () => openPhone(button.dataset.page))
  }
  byId('reload').addEventListener('click', () => openPhone())
  byId('clear').addEventListener('click', () => requests.clear())
  await showRows()
  await listen()
}

start().catch((error: Error) => say(error.message, true))
