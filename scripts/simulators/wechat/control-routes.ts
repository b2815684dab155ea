import type { IncomingHttpHeaders } from 'node:http'
import * as v from 'valibot'
import { isFromThisMachine, NOT_FROM_THIS_MACHINE } from '../from-this-machine.ts'
import {
  CodeOrder,
  orderPhoneCode,
  orderSessionEnd,
  orderUser,
  orderUserData,
  PhoneOrder,
  SessionEndOrder,
  UserDataOrder,
  UserOrder,
  WordsOrder,
} from './control.ts'
import {
  AppOrder,
  orderApp,
  orderRevocation,
  orderSubscription,
  orderTemplate,
  RevokeOrder,
  SubscriptionOrder,
  TemplateOrder,
} from './control-apps.ts'
import { ControlError, text } from './control-texts.ts'
import { FaultSpec } from './faults.ts'
import { helpPage } from './help-page.ts'
import { issueLoginCode } from './login.ts'
import { type SimulatedReply, textReply } from './routes.ts'
import type { Simulator } from './simulator.ts'
import { readClock, readState } from './state.ts'
import type { WeChatRequest } from './wechat-request.ts'

const LONGEST_MOVE_MS = 10 * 365 * 24 * 3600_000
const LATEST_MS = Date.UTC(2100, 0)

/** First set, then moved, then stopped or let run. */
const ClockOrder = v.pipe(
  v.strictObject({
    nowMs: v.exactOptional(
      v.pipe(
        v.number('must be a number'),
        v.minValue(0, 'must be a time from 1970 on'),
        v.maxValue(LATEST_MS, 'must be a time before the year 2100'),
      ),
    ),
    advanceMs: v.exactOptional(
      v.pipe(
        v.number('must be a number'),
        v.minValue(-LONGEST_MOVE_MS, 'must be at most ten years'),
        v.maxValue(LONGEST_MOVE_MS, 'must be at most ten years'),
      ),
    ),
    stopped: v.exactOptional(v.boolean('must be true or false')),
  }),
  v.check(
    (given) => Object.keys(given).length > 0,
    'advanceMs: is missing, and so are nowMs and stopped',
  ),
)
const ResetOrder = v.strictObject({ seed: v.exactOptional(text) })
const WordsToRemove = v.strictObject({ words: v.array(text, 'must be a list') })

/** What is answered; `{ ok: true }` where there is nothing to say. */
type Action = (simulator: Simulator, input: unknown) => unknown

function order<Schema extends v.GenericSchema>(
  schema: Schema,
  run: (simulator: Simulator, order: v.InferOutput<Schema>) => unknown,
): Action {
  return (simulator, input) => run(simulator, checked(schema, input))
}

/** The control surface: what a client of the simulator may order, by method and path. */
const actions = new Map<string, Action>([
  ['POST /sim/codes', order(CodeOrder, (sim, given) => issueLoginCode(sim.world, given))],
  ['POST /sim/user-data', order(UserDataOrder, (sim, given) => orderUserData(sim.world, given))],
  ['POST /sim/phone-codes', order(PhoneOrder, (sim, given) => orderPhoneCode(sim.world, given))],
  ['POST /sim/users', order(UserOrder, (sim, given) => orderUser(sim.world, given))],
  [
    'POST /sim/words',
    order(WordsOrder, (sim, { words }) => {
      sim.world.words.set(words)
      return { words: words.length }
    }),
  ],
  [
    'POST /sim/clock',
    order(ClockOrder, ({ clock }, { nowMs, advanceMs = 0, stopped }) => {
      if (nowMs !== undefined) clock.set(nowMs)
      clock.advance(advanceMs)
      if (stopped !== undefined) clock.stop(stopped)
      return readClock(clock)
    }),
  ],
  ['GET /sim/clock', ({ clock }) => readClock(clock)],
  ['GET /sim/state', readState],
  [
    'POST /sim/sessions/end',
    order(SessionEndOrder, (sim, given) => orderSessionEnd(sim.world, given)),
  ],
  ['POST /sim/apps', order(AppOrder, (sim, given) => orderApp(sim.world, given))],
  ['POST /sim/templates', order(TemplateOrder, (sim, given) => orderTemplate(sim.world, given))],
  [
    'POST /sim/subscriptions',
    order(SubscriptionOrder, (sim, given) => orderSubscription(sim.world, given)),
  ],
  [
    'GET /sim/messages',
    ({ world }) => ({
      messages: world.apps
        .all()
        .flatMap(({ appid, subscriptions }) =>
          subscriptions.sent().map((message) => ({ appid, ...message })),
        ),
    }),
  ],
  ['GET /sim/words', ({ world }) => ({ words: world.words.all() })],
  [
    'POST /sim/words/remove',
    order(WordsToRemove, ({ world }, { words }) => world.words.remove(words)),
  ],
  [
    'GET /sim/requests',
    (sim) => ({ requests: sim.log.all(), paidPhoneCalls: sim.world.paidPhoneCalls }),
  ],
  ['DELETE /sim/requests', (sim) => sim.log.clear()],
  [
    'POST /sim/faults',
    order(FaultSpec, (sim, fault) => {
      sim.addFault(fault)
      return { waiting: sim.faults.waiting().length }
    }),
  ],
  ['GET /sim/faults', (sim) => ({ faults: sim.faults.waiting() })],
  ['DELETE /sim/faults', (sim) => sim.faults.clear()],
  [
    'POST /sim/tokens/revoke',
    order(RevokeOrder, (sim, given) => orderRevocation(sim.world, given)),
  ],
  ['POST /sim/reset', order(ResetOrder, (sim, { seed }) => sim.reset(seed))],
])

/** Answers a request to `/sim` or below it: JSON, or the help page. Never throws on bad input. */
export function answerControl(
  simulator: Simulator,
  request: WeChatRequest,
  headers: IncomingHttpHeaders,
  url: string,
): SimulatedReply {
  if (!isFromThisMachine(headers)) return problem(403, NOT_FROM_THIS_MACHINE)
  const { method, path } = request
  if (method === 'GET' && (path === '/sim' || path === '/sim/')) {
    return textReply(200, 'text/plain; charset=utf-8', helpPage(url))
  }
  const action = actions.get(`${method} ${path}`)
  if (!action) {
    return problem(404, `There is no ${method} ${path} here: GET /sim lists what there is.`)
  }
  try {
    return json(200, action(simulator, parsed(request.bodyText)) ?? { ok: true })
  } catch (error) {
    if (error instanceof ControlError) return problem(400, error.message)
    throw error
  }
}

function parsed(bodyText: string): unknown {
  if (bodyText.trim() === '') return {}
  try {
    return JSON.parse(bodyText)
  } catch {
    throw new ControlError('The body is not valid JSON.')
  }
}

function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
): v.InferOutput<Schema> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ControlError('The body must be a JSON object.')
  }
  const result = v.safeParse(schema, input)
  if (result.success) return result.output
  const [issue] = result.issues
  const where = v.getDotPath(issue)
  if (where === null) throw new ControlError(`${issue.message}.`)
  if (issue.type === 'strict_object') {
    const is = issue.expected === 'never' ? 'is not known here' : 'is missing'
    throw new ControlError(`${where}: ${is}.`)
  }
  throw new ControlError(`${where}: ${issue.message}.`)
}

function problem(status: number, error: string): SimulatedReply {
  return json(status, { error })
}

function json(status: number, value: unknown): SimulatedReply {
  return textReply(status, 'application/json; charset=utf-8', `${JSON.stringify(value)}\n`)
}
