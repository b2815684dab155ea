'use strict'
/**
 * Runs in the child process of a local function: loads the bundle, answers invocations that arrive over IPC, one at a
 * time. Plain JavaScript, because it is started as it lies, with the function's own environment and nothing else.
 */

const [, , bundle = ''] = process.argv
let handler

function send(message) {
  process.send?.(message)
}

function describe(error) {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

async function invoke({ id, event, context }) {
  const startedAt = performance.now()
  const remainingMs = () => context.time_limit_in_ms - (performance.now() - startedAt)
  const whole = {
    ...context,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(remainingMs())),
  }
  try {
    send({ kind: 'result', id, result: (await handler(event, whole)) ?? null })
  } catch (error) {
    send({ kind: 'threw', id, error: describe(error) })
  }
}

try {
  handler = require(bundle).main_handler
  if (typeof handler === 'function') process.on('message', invoke)
  else send({ kind: 'failed', error: `${bundle} does not export main_handler` })
} catch (error) {
  send({ kind: 'failed', error: describe(error) })
}
process.on('disconnect', () => process.exit())
