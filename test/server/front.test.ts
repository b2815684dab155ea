import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { judgeSettings, type ServerSettings } from '../../scripts/doctor/database-settings.ts'
import { selfSignedCertificate } from '../../scripts/simulators/self-signed-certificate.ts'
import { readDockerfile } from '../support/dockerfile.ts'
import { openWebFunctions, type WebFunctions } from '../support/web-functions.ts'
import { startWorld, type World } from '../support/world.ts'

/** The files for nginx, systemd and Docker Compose, each held to what reads it. */

const read = (name: string): string =>
  readFileSync(path.join(projectFolder, 'scripts/server', name), 'utf8')

function hasProgram(name: string): boolean {
  const isThere = spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
  if (!isThere) console.log(`There is no ${name} here: its file is not checked.`)
  return isThere
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'miniscore-front-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(!hasProgram('nginx'))('behind nginx', () => {
  const DOMAIN = 'api.example.com'
  const { certificate, key } = selfSignedCertificate([DOMAIN])
  let world: World
  let functions: WebFunctions
  let upstream: string
  const started: ChildProcess[] = []
  beforeAll(async () => {
    world = await startWorld()
    functions = await openWebFunctions(world.environment)
    // Three requests of one address.
    const limits = { LIMITS: 'user:1000/60,address:3/600' }
    upstream = new URL(await (await functions.startServer(limits)).url).host
    writeFileSync(path.join(folder, 'fullchain.pem'), certificate)
    writeFileSync(path.join(folder, 'privkey.pem'), key)
  })
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL')
    await functions?.close()
    await world?.close()
  })

  /** Starts nginx with the snippet, its ports and certificate those of this run. */
  async function front(snippet: string): Promise<number> {
    const port = await freePort()
    const own = snippet
      .replaceAll('127.0.0.1:9000', upstream)
      .replaceAll(`/etc/ssl/${DOMAIN}`, folder)
      .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    const file = path.join(folder, `nginx-${port}.conf`)
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(' ')
    writeFileSync(
      file,
      `pid ${folder}/${port}.pid; error_log stderr; events {} http { access_log off; ${temp}\n${own} }`,
    )
    await promisify(execFile)('nginx', ['-t', '-c', file])
    started.push(spawn('nginx', ['-c', file, '-g', 'daemon off;'], { stdio: 'ignore' }))
    await expect
      .poll(() =>
        ask(port, 'GET', '/form').then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200)
    return port
  }

  test('requests come through over TLS, and a client is who it is, whatever it writes', async () => {
    const port = await front(read('nginx.conf'))
    const statuses = await knock(port)
    expect(statuses).toEqual([401, 401, 401, 429])
    const { headers } = await ask(port, 'GET', '/form', { 'x-scf-request-id': 'forged' })
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
  })

  test('probes are not for the outside', async () => {
    const port = await front(read('nginx.conf'))
    expect((await ask(port, 'GET', '/healthz')).status).toBe(404)
    expect((await ask(port, 'GET', '/readyz')).status).toBe(404)
  })

  test('an nginx that hands on what a client wrote is found', async () => {
    const broken = read('nginx.conf').replace(
      'X-Forwarded-For $remote_addr',
      'X-Forwarded-For $proxy_add_x_forwarded_for',
    )
    expect(await knock(await front(broken))).toEqual([401, 401, 401, 401])
  })

  test('a snippet that nginx does not take is found', async () => {
    await expect(front(read('nginx.conf').replace('proxy_pass', 'proxy_past'))).rejects.toThrow(
      'unknown directive',
    )
  })

  /** Asks for a login with a code that is none, each time from an address of one's own making. */
  async function knock(port: number): Promise<number[]> {
    const statuses: number[] = []
    for (const last of [1, 2, 3, 4]) {
      const headers = {
        'content-type': 'application/json',
        'x-forwarded-for': `8.8.${port % 256}.${last}`,
      }
      statuses.push(
        (await ask(port, 'POST', '/login', headers, '{"code":"nobody-gave-this"}')).status,
      )
    }
    return statuses
  }

  function ask(
    port: number,
    method: string,
    target: string,
    headers: Record<string, string> = {},
    body = '',
  ): Promise<{ status: number; headers: Record<string, unknown> }> {
    return new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        method,
        path: target,
        servername: DOMAIN,
        ca: certificate,
        headers,
      }
      request(options, (response) => {
        response
          .resume()
          .once('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers }),
          )
      })
        .once('error', reject)
        .end(body)
    })
  }
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe.skipIf(!hasProgram('systemd-analyze'))('the unit for systemd', () => {
  /** What systemd says of it, with the Node of this machine. */
  function analyze(unit: string, ...options: string[]) {
    const file = path.join(folder, 'miniscore.service')
    writeFileSync(file, unit.replace('/usr/bin/node', process.execPath))
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [...options, file], {
      encoding: 'utf8',
    })
    return { status, said: stdout + stderr }
  }
  const SECURITY = ['security', '--offline=true', '--threshold=20']

  test('is read without a complaint', () => {
    expect(analyze(read('miniscore.service'), 'verify')).toEqual({ status: 0, said: '' })
  })

  test('leaves the server hardly anything that it could do beside its work', () => {
    expect(analyze(read('miniscore.service'), ...SECURITY).status).toBe(0)
  })

  test('a setting that is none is found, and one that is missing', () => {
    const misspelt = read('miniscore.service').replace('ProtectHome=', 'ProtectHouse=')
    expect(analyze(misspelt, 'verify').said).toMatch(/Unknown key.*ProtectHouse/)
    const open = read('miniscore.service').replace(/^(Capability|Private|SystemCall).*$/gm, '')
    expect(analyze(open, ...SECURITY).status).not.toBe(0)
  })
})

describe('compose.yaml', () => {
  interface Service {
    build?: { target: string; dockerfile: string; context: string }
    command?: string[]
    ports?: string[]
    environment: Record<string, string>
  }
  const { services } = parse(read('compose.yaml'), { merge: true }) as {
    services: Record<string, Service>
  }

  test('builds stages that the Dockerfile has', () => {
    const stages = readDockerfile(read('Dockerfile')).map(({ name }) => name)
    const built = Object.values(services).flatMap(({ build }) => build ?? [])
    expect(built.map(({ target }) => target)).toEqual(['migration', 'server'])
    for (const { target, context, dockerfile } of built) {
      expect(stages).toContain(target)
      expect(
        readFileSync(path.join(projectFolder, 'scripts/server', context, dockerfile), 'utf8'),
      ).toBe(read('Dockerfile'))
    }
  })

  test('makes a database that the doctor finds nothing wrong with, under the URL that the others are given', () => {
    const { environment, command = [] } = services.database ?? { environment: {} }
    const [, mode] = command.find((word) => word.startsWith('--sql-mode='))?.split('=') ?? []
    const settings = {
      'session.sql_mode': mode,
      'global.sql_mode': mode,
      character_set_database: 'utf8mb4',
    }
    const findings = judgeSettings(settings as ServerSettings, 'mysql')
    expect(findings.map(({ severity }) => severity)).toEqual(['ok'])
    const password = environment.MARIADB_PASSWORD
    const url = `mysql://${environment.MARIADB_USER}:${password}@database:3306/${environment.MARIADB_DATABASE}`
    expect(services.server?.environment.DATABASE_URL).toBe(url)
    expect(services.migration?.environment.DATABASE_URL).toBe(url)
  })

  test('opens nothing to other machines', () => {
    const ports = Object.values(services).flatMap(({ ports: each = [] }) => each)
    expect(ports).toEqual(['127.0.0.1:9000:9000'])
  })
})
