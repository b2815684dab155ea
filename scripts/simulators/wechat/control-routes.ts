import type { IncomingHttpHeaders } from 'node:http'
import * as v from 'valibot'
import { isFromThisMachine, NOT_FROM_THIS_MACHINE } from '../from-this-machine.ts'
import {
  CodeOrder,
  ControlError,
  orderPhoneCode,
  orderUser,
  orderUserData,
  PhoneOrder,
  UserDataOrder,
  UserOrder,
  WordsOrder,
} from './control.ts'
import { FaultSpec } from './faults.ts'
import { helpPage } from './help-page.ts'
import { issueLoginCode } from './login.ts'
import { type SimulatedReply, textReply } from './routes.ts'
import type { Simulator } from './simulator.ts'
import type { WeChatRequest } from './wechat-request.ts'

const LONGEST_MOVE_MS = 10 * 365 * 24 * 3600_000

const ClockOrder = v.strictObject({
  advanceMs: v.pipe(
    v.number('must be a number'),
    v.minValue(-LONGEST_MOVE_MS, 'must be at most ten years'),
    v.maxValue(LONGEST_MOVE_MS, 'must be at most ten years'),
  ),
})
const NoOrder = v.strictObject({})

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
    order(ClockOrder, (sim, { advanceMs }) => {
      sim.clock.advance(advanceMs)
      return clockReading(sim)
    }),
  ],
  ['GET /sim/clock', clockReading],
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
  ['POST /sim/tokens/revoke', order(NoOrder, (sim) => sim.world.tokens.revokeAll())],
  ['POST /sim/reset', order(NoOrder, (sim) => sim.reset())],
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

function clockReading(simulator: Simulator) {
  const nowMs = simulator.clock.now()
  return { nowMs, now: new Date(nowMs).toISOString() }
}

function problem(status: number, error: string): SimulatedReply {
  return json(status, { error })
}

function json(status: number, value: unknown): SimulatedReply {
  return textReply(status, 'application/json; charset=utf-8', `${JSON.stringify(value)}\n`)
}
