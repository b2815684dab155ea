/**
 * Runs in the child process of a local function: loads the bundle, answers invocations that arrive
 * over IPC, one at a time. Compiled by esbuild; sees nothing but the function's own environment.
 */

interface Invocation {
  id: number
  event: unknown
  context: Record<string, unknown> & { time_limit_in_ms: number }
}

type Handler = (event: unknown, context: Record<string, unknown>) => unknown

const [, , bundle = ''] = process.argv
function send(message: object): void {
  process.send?.(message)
}

const loaded = ((): Record<string, unknown> | undefined => {
  try {
    return require(bundle) as Record<string, unknown>
  } catch (error) {
    send({ kind: 'failed', error: describe(error) })
    return undefined
  }
})()

const handler = loaded?.main_handler as Handler | undefined
if (loaded && typeof handler !== 'function') {
  send({ kind: 'failed', error: `${bundle} does not export main_handler` })
}

process.on('message', (message: Invocation) => {
  if (typeof handler === 'function') void invoke(handler, message)
})
process.on('disconnect', () => process.exit())
send({ kind: 'ready' })

async function invoke(handle: Handler, { id, event, context }: Invocation): Promise<void> {
  const startedAt = performance.now()
  const whole = {
    ...context,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () =>
      Math.max(0, Math.round(context.time_limit_in_ms - (performance.now() - startedAt))),
  }
  try {
    const result = await handle(event, whole)
    send({ kind: 'result', id, result: result ?? null })
  } catch (error) {
    send({ kind: 'threw', id, error: describe(error) })
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
