/** `ps-http-sim`, another's PlanetScale on loopback: https://github.com/mattrobenolt/ps-http-sim */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from '@planetscale/database'
import { enginesFolder } from '../../../scripts/simulators/mysql-server/tidb.ts'

/** Starting takes it some milliseconds. */
const READY_WITHIN_MS = 20_000

/** Starts one in front of the MySQL database of `databaseUrl`; its own `url` is one for PlanetScale's driver. */
export async function startPsHttpSim(
  databaseUrl: string,
): Promise<{ url: string; close(): Promise<void> }> {
  const { username, password, port: mySqlPort, pathname } = new URL(databaseUrl)
  const port = await freePort()
  const simulator = spawn(
    join(enginesFolder, 'ps-http-sim'),
    [
      `-listen-port=${port}`,
      `-mysql-port=${mySqlPort}`,
      `-mysql-dbname=${pathname.slice(1)}`,
      '-mysql-max-rows=100000',
      // Each session holds a connection.
      '-mysql-idle-timeout=2s',
      '-log-level=error',
    ],
    { stdio: 'ignore' },
  )
  const gone = once(simulator, 'exit')
  const close = async () => {
    simulator.kill('SIGKILL')
    await gone
  }
  const url = `http://${username}:${password}@127.0.0.1:${port}`
  await untilReady(url, simulator).catch(async (error: unknown) => {
    await close()
    throw error
  })
  return { url, close }
}

async function untilReady(url: string, simulator: ChildProcess): Promise<void> {
  for (const endMs = Date.now() + READY_WITHIN_MS; ; await pause(50)) {
    try {
      await connect({ url }).execute('select 1')
      return
    } catch (error) {
      if (simulator.exitCode !== null || Date.now() > endMs) {
        throw new Error('ps-http-sim does not come up', { cause: error })
      }
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
