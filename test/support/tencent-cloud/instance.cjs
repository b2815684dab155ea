// One instance of an event function: loads the uploaded entry at its first event, calls its handler with what arrives over
// IPC, one event at a time, and sends back the outcome. Its environment holds nothing but the function's own variables and
// the platform's.
'use strict'
const path = require('node:path')

// What was printed is over when both streams have said so.
const END = '\u0000end\n'
const flush = (done) => process.stdout.write(END, () => process.stderr.write(END, done))

process.on('message', async ({ codeFolder, handler, event, context }) => {
  const [file, method] = handler.split('.')
  const started = process.hrtime.bigint()
  let freezes = false
  const reply = (outcome) => {
    const durationMs = Number(process.hrtime.bigint() - started) / 1e6
    const memoryBytes = process.memoryUsage().rss
    flush(() => process.send({ ...outcome, freezes, durationMs, memoryBytes }))
  }
  try {
    const entry = require(path.join(codeFolder, `${file}.js`))
    if (typeof entry[method] !== 'function')
      return reply({ failure: { status: 437, message: `${handler} is not a function` } })
    const left = Date.now() + context.time_limit_in_ms
    const whole = { ...context, getRemainingTimeInMillis: () => left - Date.now() }
    const value = await entry[method](event, whole)
    freezes = whole.callbackWaitsForEmptyEventLoop === false
    reply({ value: value === undefined ? 'null' : JSON.stringify(value) })
  } catch (error) {
    reply({
      failure: { status: 430, message: 'user code exception caught', stack: String(error?.stack) },
    })
  }
})
