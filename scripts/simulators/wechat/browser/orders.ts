/** Orders to the simulator, and what is said of them. */

import { byId } from './element.ts'
import type { SimulatorState } from './told.ts'

/** One sentence under the clock. */
export function say(sentence: string, isWrong = false): void {
  byId('status').textContent = sentence
  byId('status').className = isWrong ? 'wrong' : ''
}

/** Everything there is. */
export function readState(): Promise<SimulatorState> {
  return ask('GET', '/sim/state')
}

async function ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const answer = await fetch(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const told = (await answer.json()) as Answer & { error?: string }
  if (!answer.ok) throw new Error(told.error ?? `${path} answered ${answer.status}`)
  return told
}

let onDone: () => Promise<void> = async () => undefined

/** What is to happen after every order: the page is drawn anew. */
export function afterOrders(refresh: () => Promise<void>): void {
  onDone = refresh
}

/** Gives an order and shows what became of it; a refusal is said, and `undefined`. */
export async function order<Answer = unknown>(
  path: string,
  body: object = {},
  done?: (answer: Answer) => string,
  method = 'POST',
): Promise<Answer | undefined> {
  try {
    const answer = await ask<Answer>(method, path, method === 'POST' ? body : undefined)
    say(done?.(answer) ?? '')
    await onDone()
    return answer
  } catch (error) {
    say((error as Error).message, true)
    return undefined
  }
}
