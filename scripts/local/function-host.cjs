'use strict'
/**
 * Runs in the child process of a local function: loads the bundle, answers invocations that arrive over IPC, one at a
 * time. Plain JavaScript, because it is started as it lies, with the function's own environment and nothing else.
 */

const [, , bundle = ''] = process.argv
const memoryBytes = () => process.memoryUsage.rss()
let handler
let isDraining = false

function send(message) {
  process.send?.(message)
}

function describe(error) {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

async function invoke({ event, context }) {
  const startedAt = performance.now()
  const remainingMs = () => context.time_limit_in_ms - (performance.now() - startedAt)
  const whole = {
    ...context,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(remainingMs())),
  }
  try {
    const result = (await handler(event, whole)) ?? null
    isDraining = whole.callbackWaitsForEmptyEventLoop !== false
    send({ kind: 'result', result, isDraining, memoryBytes: memoryBytes() })
    // Without the channel, an event loop that has nothing left to do says so.
    if (isDraining) process.channel?.unref()
  } catch (error) {
    send({ kind: 'threw', error: describe(error) })
  }
}

process.on('beforeExit', () => {
  if (!isDraining) return
  isDraining = false
  process.channel?.ref()
  send({ kind: 'drained', memoryBytes: memoryBytes() })
})
process.on('message', invoke)
process.on('disconnect', () => process.exit())

const loadedAt = performance.now()
try {
  handler = require(bundle).main_handler
  if (typeof handler !== 'function') throw new Error(`${bundle} does not export main_handler`)
  send({
    kind: 'loaded',
    runtimeMs: loadedAt,
    functionMs: performance.now() - loadedAt,
    memoryBytes: memoryBytes(),
  })
} catch (error) {
  send({ kind: 'failed', error: describe(error) })
}
