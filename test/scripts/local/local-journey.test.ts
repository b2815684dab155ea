import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { localStage } from '../../../scripts/cli/stage.ts'
import { eventProfiles } from '../../../scripts/local/events.ts'
import { startGateway } from '../../../scripts/local/gateway.ts'
import { type LocalFunction, startFunction } from '../../../scripts/local/local-function.ts'
import { matchesPath } from '../../../scripts/local/offline.ts'
import { openPort } from '../../../scripts/local/open-port.ts'
import {
  makeOwnOutdir,
  type Surroundings,
  startSurroundings,
} from '../../../scripts/local/surroundings.ts'
import type { DesiredFunction } from '../../../scripts/service/service.ts'
import { listen } from '../../../shared/transport/server/listen.ts'
import { rating } from '../../support/ratings.ts'
import { readService } from '../../support/service.ts'

const stage = localStage({ env: { LIMITS: 'off' }, database: 'sqlite::memory:' })
const closers: (() => unknown)[] = []
const defer = (closer: () => unknown) => void closers.unshift(closer)
const lines: string[] = []
const print = (line: string) => void lines.push(line)

let folder: string
let surroundings: Surroundings
let wanted: readonly DesiredFunction[]
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-journey-'))
  surroundings = await startSurroundings({ stage, folder, wechatPort: 0, print, defer })
  wanted = await readService()
})
afterAll(async () => {
  for (const close of closers) await close()
  await rm(folder, { recursive: true, force: true })
})

let journeys = 0
/** Logs in, submits, and reads it back, through a gateway. */
async function walk(gateway: string): Promise<void> {
  const acc_nbr = String(13_800_138_000 + journeys++)
  const post = async (url: string, body: unknown, headers = {}) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
    return (await fetch(url, { ...init, body: JSON.stringify(body) })).json()
  }
  const { code } = (await post(`${surroundings.wechat?.url}/sim/codes`, {})) as { code: string }
  const { token } = (await post(`${gateway}/login`, { code })) as { token: string }
  const authorization = { authorization: `JWT ${token}` }
  await post(`${gateway}/score`, rating({ acc_nbr }), authorization)
  const query = await post(`${gateway}/query`, { acc_nbr }, authorization)
  expect(query).toMatchObject({ items: [rating({ acc_nbr })], next: null })
  const own = await fetch(`${gateway}/score?limit=1`, { headers: authorization })
  expect(await own.json()).toMatchObject({ items: [rating({ acc_nbr })] })
}

async function startAll(type: 'event' | 'web') {
  const outdir = await makeOwnOutdir(`journey-${type}`, defer)
  const running = new Map<DesiredFunction, LocalFunction>()
  const options = { surroundings, outdir, isWatching: false, hasPlatformLog: true, print, defer }
  for (const each of wanted) running.set(each, await startFunction({ ...each, type }, options))
  return (requestPath: string) =>
    [...running].find(([{ paths }]) => matchesPath(paths, requestPath))?.[1]
}

test('the journey works through the events of every trigger', async () => {
  const route = await startAll('event')
  for (const profile of eventProfiles) {
    const gateway = await startGateway({ port: 0, profile, route })
    await walk(gateway.url).finally(gateway.close)
  }
  expect(lines.some((line) => line.includes('"transport":"http"'))).toBe(true)
})

test('the journey works on Web functions', async () => {
  const route = await startAll('web')
  const gateway = await startGateway({ port: 0, profile: 'function-url', route })
  await walk(gateway.url).finally(gateway.close)
  expect(lines.some((line) => line.includes('"transport":"web"'))).toBe(true)
})

test('a port that is taken is told with what sets it', async () => {
  const server = createServer()
  const { port } = await listen(server, { port: 0 })
  const taken = startSurroundings({ stage, folder, wechatPort: port, print, defer })
  await expect(taken).rejects.toThrow(`${port} (EADDRINUSE). Set WECHAT_PORT.`)
  await expect(openPort(port, '--inspect')).rejects.toThrow(`${port} (EADDRINUSE). Set --inspect.`)
  server.close()
})
