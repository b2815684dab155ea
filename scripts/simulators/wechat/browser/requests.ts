/** The request log, faults and words. */

import { button, byId, choice, draw, element } from './element.ts'
import { order } from './orders.ts'
import { timeOf } from './people.ts'
import type { FaultReading, RequestReading, SimulatorState, WordReading } from './told.ts'

const SUGGESTIONS = ['pass', 'review', 'risky']
/** Requests that somebody has opened, by their number in the log. */
const open = new Set<number>()

export function drawRequests({
  requests,
  requestCount,
  faults,
  words,
  paidPhoneCalls,
}: SimulatorState): void {
  draw('requests', [requestCount, requests[0]], () =>
    requests.map((request, index) => requestRow(request, requestCount - index)),
  )
  byId('no-requests').hidden = requests.length > 0
  byId('paid').textContent =
    paidPhoneCalls === 0
      ? ''
      : `${paidPhoneCalls} phone numbers handed out: each would have cost money.`
  draw('faults', faults, () => faults.map(faultRow))
  byId('no-faults').hidden = faults.length > 0
  draw('words', words, () => words.map(wordRow))
}

/** Clearing the log begins it anew. */
export function forgetOpenRequests(): void {
  open.clear()
}

function requestRow(request: RequestReading, number: number): HTMLElement {
  const { method, path, time, params, status, errcode, fault } = request
  const verdict =
    status === null ? 'no answer' : errcode === null ? `HTTP ${status}` : String(errcode)
  const isGood = status === 200 && errcode === 0
  const summary = element(
    'summary',
    {},
    element('span', { className: `chip ${isGood ? 'good' : 'bad'}`, textContent: verdict }),
    element('span', { className: 'path', textContent: `${method} ${path}` }),
    ...(fault === null ? [] : [element('span', { className: 'chip fault', textContent: fault })]),
    element('time', { className: 'muted', dateTime: time, textContent: timeOf(time) }),
  )
  summary.dataset.key = `request ${number}`
  const rows = Object.entries(params).flatMap(([name, value]) => [
    element('dt', { textContent: name }),
    element('dd', { textContent: value }),
  ])
  const details = element(
    'details',
    { open: open.has(number) },
    summary,
    rows.length > 0
      ? element('dl', {}, ...rows)
      : element('p', { className: 'muted', textContent: 'no parameters' }),
  )
  details.addEventListener('toggle', () => {
    if (details.open) open.add(number)
    else open.delete(number)
  })
  return element('li', {}, details)
}

function faultRow({ kind, path, errcode, times }: FaultReading): HTMLElement {
  const what = kind === 'errcode' ? `errcode ${errcode}` : kind
  return element(
    'li',
    {},
    element('span', { className: 'chip fault', textContent: what }),
    ` ${path ?? 'any path'} · ${times === 1 ? 'once' : `${times} times`}`,
  )
}

function wordRow({ word, suggest, label }: WordReading): HTMLElement {
  return element(
    'li',
    { className: 'word' },
    element('span', { className: 'text', textContent: word }),
    choice(`suggest ${word}`, `What is made of ${word}`, SUGGESTIONS, suggest, (value) =>
      order('/sim/words', { words: [{ word, suggest: value, label }] }),
    ),
    element('span', { className: 'muted', textContent: String(label) }),
    button(`remove ${word}`, '✕', () => order('/sim/words/remove', { words: [word] })),
  )
}
