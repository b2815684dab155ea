/** The page: what the simulated WeChat knows, and what it may be told. It looks once a second. */

import { byId, element } from './element.ts'
import { afterOrders, order, readState, say } from './orders.ts'
import { drawPeople } from './people.ts'
import { drawRequests, forgetOpenRequests } from './requests.ts'
import type { ClockReading } from './told.ts'

const LOOK_EVERY_MS = 1000

const input = (id: string) => byId<HTMLInputElement>(id)
let isStopped = false
let isAway = false

async function refresh(): Promise<void> {
  const state = await readState()
  drawClock(state.clock)
  byId('seed').textContent = state.seed === null ? '' : `· seed “${state.seed}”`
  drawPeople(state)
  drawRequests(state)
  const paths = byId('fault-path')
  if (paths.childElementCount === 1) {
    paths.append(...state.paths.map((value) => element('option', { value, textContent: value })))
  }
}

function drawClock({ nowMs, stopped }: ClockReading): void {
  isStopped = stopped
  const date = new Date(nowMs)
  byId('now').textContent = date.toLocaleString('sv-SE')
  byId('beijing').textContent =
    `${date.toLocaleString('sv-SE', { timeZone: 'Asia/Shanghai' })} in Beijing`
  byId('stop').setAttribute('aria-pressed', String(stopped))
}

/** A form is sent to the simulator, not away from the page. */
function onSubmit(id: string, send: () => Promise<unknown>): void {
  byId(id).addEventListener('submit', (event) => {
    event.preventDefault()
    void send()
  })
}

for (const moving of document.querySelectorAll<HTMLElement>('[data-advance-ms]')) {
  moving.addEventListener(
    'click',
    () => void order('/sim/clock', { advanceMs: Number(moving.dataset.advanceMs) }),
  )
}
byId('stop').addEventListener('click', () => void order('/sim/clock', { stopped: !isStopped }))
byId('real-time').addEventListener(
  'click',
  () => void order('/sim/clock', { nowMs: Date.now(), stopped: false }),
)
byId('reset').addEventListener('click', () => {
  forgetOpenRequests()
  void order('/sim/reset', {}, () => 'Everything is forgotten.')
})
byId('clear-requests').addEventListener('click', () => {
  forgetOpenRequests()
  void order('/sim/requests', {}, undefined, 'DELETE')
})
byId('clear-faults').addEventListener(
  'click',
  () => void order('/sim/faults', {}, undefined, 'DELETE'),
)

const kind = byId<HTMLSelectElement>('fault-kind')
const showFaultFields = () => {
  byId('errcode-field').hidden = kind.value !== 'errcode'
  byId('status-field').hidden = kind.value !== 'status'
  byId('delay-field').hidden = !['slow', 'drip', 'refuse'].includes(kind.value)
}
kind.addEventListener('change', showFaultFields)
showFaultFields()

onSubmit('fault-form', () => {
  const path = byId<HTMLSelectElement>('fault-path').value
  return order(
    '/sim/faults',
    {
      kind: kind.value,
      times: Number(input('fault-times').value),
      ...(path === '' ? {} : { path }),
      ...(kind.value === 'errcode' ? { errcode: Number(input('fault-errcode').value) } : {}),
      ...(kind.value === 'status' ? { status: Number(input('fault-status').value) } : {}),
      ...(byId('delay-field').hidden ? {} : { delayMs: Number(input('fault-delay').value) }),
    },
    () => 'It happens from the next request on.',
  )
})
onSubmit('word-form', async () => {
  const suggest = byId<HTMLSelectElement>('word-suggest').value
  const label = Number(byId<HTMLSelectElement>('word-label').value)
  const given = { word: input('word').value, suggest, label }
  if (await order('/sim/words', { words: [given] })) input('word').value = ''
})
onSubmit('app-form', async () => {
  const secret = input('app-secret').value
  const given = { appid: input('app-appid').value, ...(secret === '' ? {} : { secret }) }
  const made = await order<{ secret?: string }>('/sim/apps', given, (app) =>
    app.secret === undefined ? 'It is there.' : `Its secret, told this once: ${app.secret}`,
  )
  if (made) for (const id of ['app-appid', 'app-secret']) input(id).value = ''
})

/** A simulator that does not answer is said once, and looked for until it is back. */
async function look(): Promise<void> {
  try {
    await refresh()
    if (isAway) say('')
    isAway = false
  } catch (error) {
    if (!isAway) say(`The offline WeChat does not answer: ${(error as Error).message}`, true)
    isAway = true
  }
  setTimeout(() => void look(), LOOK_EVERY_MS)
}

byId('address').textContent = location.origin
afterOrders(refresh)
void look()
