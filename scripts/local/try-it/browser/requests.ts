/** The list of requests, newest first: each opens to its curl line, its answer and the function's log. */

import { byId, element } from './element.ts'
import type { Exchange } from './told.ts'

interface Shown {
  exchange: Exchange
  /** How many of a row of polls it stands for. */
  times: number
  item: HTMLElement
  details: HTMLDetailsElement
  summary: HTMLElement
  content: HTMLElement
}

const SHOWN_MAX = 200

export interface Requests {
  show(exchanges: readonly Exchange[]): void
  clear(): void
  /** Forgets everything: the numbers begin anew. */
  restart(): void
}

/** `nameOf` tells what a person is called. */
export function createRequests(nameOf: (openid: string) => string): Requests {
  const list = byId('requests')
  let shown: Shown[] = []
  /** What was cleared stays away, even when its log comes late. */
  let lastNumber = 0
  let clearedNumber = 0
  /** Opened by itself, and closed when the next is. */
  let opened: HTMLDetailsElement | undefined

  function render(each: Shown): void {
    const { exchange, times, summary, content } = each
    summary.replaceChildren(...summaryOf(exchange, times, nameOf))
    content.replaceChildren(...contentOf(exchange))
  }

  function add(exchange: Exchange): void {
    const last = shown.at(-1)
    if (last && isPoll(exchange) && isPoll(last.exchange) && isAlike(exchange, last.exchange)) {
      Object.assign(last, { exchange, times: last.times + 1 })
      render(last)
      return
    }
    const summary = element('summary')
    const content = element('div', { className: 'exchange' })
    const details = element('details', {}, summary, content)
    const item = element('li', {}, details)
    const added = { exchange, times: 1, item, details, summary, content }
    shown.push(added)
    render(added)
    list.prepend(item)
    if (exchange.status === CREATED) {
      if (opened) opened.open = false
      details.open = true
      opened = details
    }
    if (shown.length > SHOWN_MAX) shown.shift()?.item.remove()
  }

  return {
    show(exchanges) {
      for (const exchange of exchanges) {
        if (exchange.number <= clearedNumber) continue
        lastNumber = Math.max(lastNumber, exchange.number)
        const known = shown.find((each) => each.exchange.number === exchange.number)
        if (known) render(Object.assign(known, { exchange }))
        else add(exchange)
      }
      byId('no-requests').hidden = shown.length > 0
    },
    clear() {
      clearedNumber = lastNumber
      shown = []
      list.replaceChildren()
      byId('no-requests').hidden = false
    },
    restart() {
      lastNumber = 0
      this.clear()
    },
  }
}

const CREATED = 201

/** The result page asks for what is new again and again. */
function isPoll({ method, path, curl }: Exchange): boolean {
  return method === 'POST' && path === '/query' && Boolean(curl?.includes('"since"'))
}

function isAlike(one: Exchange, other: Exchange): boolean {
  return one.status === other.status && one.person === other.person
}

function summaryOf(
  exchange: Exchange,
  times: number,
  nameOf: (openid: string) => string,
): HTMLElement[] {
  const { method, path, status, sender, person, durationMs, atMs } = exchange
  const who = person === undefined ? sender : `${nameOf(person)} · ${sender}`
  const className = status < 400 ? 'status' : status < 500 ? 'status refused' : 'status failed'
  const often = times > 1 ? `${times} × · ` : ''
  return [
    element('span', { className: 'path', textContent: `${method} ${path}` }),
    element('span', { className, textContent: String(status) }),
    element('span', { className: 'when', textContent: `${durationMs} ms` }),
    element('span', { className: 'who' }, `${often}${who}`, element('time', {}, timeOf(atMs))),
  ]
}

function timeOf(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB')
}

function contentOf({ curl, answer, lines }: Exchange): HTMLElement[] {
  return [
    part('curl', curl ?? 'The body is no text: there is no line for it.', curl),
    part('Answer', answer === '' ? 'nothing' : indented(answer)),
    part('Log', lines.length > 0 ? lines.join('\n') : 'nothing yet'),
  ]
}

/** Titled text, with a button to copy it where there is something to copy. */
function part(title: string, text: string, copied?: string): HTMLElement {
  const heading = element('h3', {}, title)
  if (copied !== undefined) {
    const button = element('button', { type: 'button', className: 'copy', textContent: 'Copy' })
    button.addEventListener('click', () => {
      navigator.clipboard.writeText(copied).then(
        () => {
          button.textContent = 'Copied'
        },
        () => {
          button.textContent = 'Not allowed by the browser'
        },
      )
    })
    heading.append(button)
  }
  return element('div', { className: title.toLowerCase() }, heading, element('pre', {}, text))
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
