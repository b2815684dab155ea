import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { projectFolder } from '../../../scripts/build/bundle.ts'
import { failureLine, shapeLine } from '../../../scripts/local/failure-line.ts'
import { lineFormat } from '../../../scripts/local/log-lines.ts'
import { createLogger } from '../../../shared/log.ts'
import type { LogEvent } from '../../../shared/ports.ts'

const plain = lineFormat({ isTTY: true, hasColors: () => false })
const coloured = lineFormat({ isTTY: true, hasColors: () => true })
const piped = lineFormat({})

const request = { event: 'request', level: 'info', requestId: 'r-1' } as const

/** The line that a function of a local run writes. */
function lineOf(event: LogEvent): string {
  const lines: string[] = []
  globalThis.IS_LOCAL_RUN = true
  try {
    createLogger({ functionName: 'f', now: () => 0, write: (line) => lines.push(line) }).write(
      event,
    )
  } finally {
    globalThis.IS_LOCAL_RUN = undefined
  }
  return lines.join('\n')
}

describe('a log line on a terminal', () => {
  test('says route, status and duration of a request', () => {
    const line = lineOf({ ...request, route: 'POST /score', status: 201, durationMs: 8 })
    expect(plain(line)).toBe('POST /score  201  8 ms')
    const cold = lineOf({ ...request, status: 404, durationMs: 8, coldStart: true })
    expect(plain(cold)).toBe('no such route  404  8 ms  cold start')
  })

  test('names the field that was not accepted, and why', () => {
    const local = { field: 'acc_nbr', message: '应为数字' }
    const event = { ...request, route: 'POST /score', status: 400, code: 'invalid-field', local }
    expect(plain(lineOf({ ...event, durationMs: 2 }))).toBe(
      'POST /score  400  2 ms  invalid-field  acc_nbr  应为数字',
    )
  })

  test('says of a failure what it was, with its message, its places in the project, and what caused it', () => {
    const cause = new Error('outer', { cause: new TypeError('inner') })
    const own = path.join(projectFolder, 'shared/store/db.ts')
    cause.stack = `Error: outer\n    at f (${own}:12:3)\n    at node:internal/x:1:1`
    const event = { ...request, level: 'error', route: 'GET /form', status: 500 } as const
    const text = plain(lineOf({ ...event, code: 'internal', durationMs: 1, cause }))
    expect(text.split('\n').slice(0, 4)).toEqual([
      'GET /form  500  1 ms  internal  r-1',
      '  Error: outer',
      '    at shared/store/db.ts:12:3',
      '  because of TypeError: inner',
    ])
  })

  test('names variables, and stays what it is when it is no log line', () => {
    const misconfigured = { ...request, status: 500, durationMs: 1, variables: ['TOKEN_KEYS'] }
    expect(plain(lineOf(misconfigured))).toContain('\n  TOKEN_KEYS')
    for (const line of ['hello', '{"a":1}', '{ not JSON', '']) expect(plain(line)).toBe(line)
  })

  test('tells other events with whom they are about', () => {
    const event = { event: 'token-forged', level: 'warn', route: 'POST /score', person: 'ab' }
    expect(plain(lineOf(event as LogEvent))).toBe('token-forged  POST /score  person=ab')
  })

  test('tells why a function failed, and where', () => {
    const own = path.join(projectFolder, 'functions/login/login.ts')
    const error = { errorCode: -1, errorMessage: 'user code exception caught' } as const
    const thrown = { ...error, requestId: 'r', statusCode: 430 } as const
    const stackTrace = `Error: no\n    at f (${own}:5:7)\n    at g (${own}:9:1)`
    expect(plain(JSON.stringify(failureLine('login', { ...thrown, stackTrace }, undefined)))).toBe(
      'login failed  430\n  it threw: Error: no\n  functions/login/login.ts:5:7\n    at functions/login/login.ts:9:1',
    )
    expect(plain(JSON.stringify(shapeLine('login', 'it returned nothing')))).toMatch(
      /^login failed\n {2}the reply has the wrong shape: it returned nothing\n {2}functions\/login\/index\.ts:[1-9]\d*$/,
    )
  })

  test('is coloured where the terminal has colours', () => {
    const line = lineOf({ ...request, route: 'GET /form', status: 200, durationMs: 1 })
    expect(coloured(line)).toContain('\u001b[32m200\u001b[39m')
    expect(plain(line)).not.toContain('\u001b')
  })
})

test('piped, a line stays the JSON that it is in the cloud', () => {
  const line = lineOf({ ...request, status: 200, durationMs: 1 })
  expect(piped(line)).toBe(line)
})

test('outside a local run a line holds neither messages nor fields', () => {
  const lines: string[] = []
  const log = createLogger({ functionName: 'f', now: () => 0, write: (line) => lines.push(line) })
  const local = { field: 'secret-field', message: 'secret message' }
  log.write({ ...request, local, cause: new Error('secret cause') })
  expect(lines.join()).not.toContain('secret')
})
