import { type ChildProcess, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { startOfflineWeChat } from '../../scripts/simulators/wechat/server.ts'
import {
  bareDebian,
  certificateEnvironment,
  inBareDebian,
  startInBareDebian,
  whyNoBareDebian,
} from '../support/bare-debian.ts'
import {
  buildImages,
  filesBelow,
  type Image,
  ignoredBy,
  readDockerfile,
} from '../support/dockerfile.ts'
import { rating } from '../support/ratings.ts'
import { anyServerUrl, describeOnServers } from '../support/server-suites.ts'
import { randomKey } from '../support/world.ts'

/** The steps of the Dockerfile, each done as it stands, on a file system with nothing but Debian and Node. */

const read = (name: string): string =>
  readFileSync(path.join(projectFolder, 'scripts/server', name), 'utf8')
const stages = readDockerfile(read('Dockerfile'))
const ignored = ignoredBy(read('Dockerfile.dockerignore'))
const obstacle = whyNoBareDebian()
if (obstacle) console.log(`The steps of the Dockerfile are not run: ${obstacle}.`)

describe.skipIf(obstacle !== undefined || anyServerUrl === undefined)('the image', () => {
  const SECRET = randomBytes(16).toString('hex')
  let folder: string
  let images: Map<string, Image>
  beforeAll(async () => {
    const base = await bareDebian()
    folder = mkdtempSync(path.join(os.tmpdir(), 'miniscore-image-'))
    const context = path.join(folder, 'context')
    const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
      cwd: projectFolder,
      encoding: 'utf8',
    })
    for (const file of files.trim().split('\n')) {
      if (existsSync(path.join(projectFolder, file)))
        cpSync(path.join(projectFolder, file), path.join(context, file))
    }
    // What lies about in a folder that is worked in.
    writeFileSync(path.join(context, '.env.prod'), `WECHAT_SECRET=${SECRET}\n`)
    mkdirSync(path.join(context, '.data'))
    writeFileSync(path.join(context, '.data/dev.sqlite'), SECRET)
    images = await buildImages(stages, {
      folder: context,
      ignored,
      baseOf(image) {
        if (image !== 'node:20-slim') throw new Error(`there is no ${image} here`)
        return base
      },
      rootOf: (stage) => path.join(folder, stage),
      environment: { ...certificateEnvironment },
    })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function image(name: string): Image {
    const found = images.get(name)
    if (!found) throw new Error(`no stage ${name}`)
    return found
  }

  test('of the server holds the server and nothing else, and runs as nobody in particular', async () => {
    const { root, workdir, user, environment } = image('server')
    expect((await filesBelow(path.join(root, workdir))).sort()).toEqual([
      'index.js',
      'package.json',
    ])
    expect({ user, environment }).toEqual({ user: 'node', environment: { NODE_ENV: 'production' } })
  })

  test('holds no values of a stage, whatever lies in the folder', async () => {
    for (const { root, workdir } of images.values()) {
      const own = (await filesBelow(path.join(root, workdir))).filter(
        (file) => !file.includes('node_modules'),
      )
      expect(own.filter((file) => /^\.env(?!\.container$)|^\.data/.test(file))).toEqual([])
      expect(
        own.filter((file) => readFileSync(path.join(root, workdir, file)).includes(SECRET)),
      ).toEqual([])
    }
    expect(readFileSync(path.join(image('build').root, 'miniscore/.env.container'), 'utf8')).toBe(
      '',
    )
  })

  describeOnServers('with a database', (suite) => {
    let databaseUrl: string
    let wechat: Awaited<ReturnType<typeof startOfflineWeChat>>
    let values: Record<string, string>
    beforeAll(async () => {
      databaseUrl = await suite.freshDatabase()
      const appid = `wx${randomBytes(8).toString('hex')}`
      const secret = randomBytes(16).toString('hex')
      wechat = await startOfflineWeChat({ appid, secret })
      values = {
        DATABASE_URL: databaseUrl,
        DATABASE_CONNECTIONS: '2',
        TOKEN_KEYS: randomKey('k1'),
        SEALING_KEYS: randomKey('s1'),
        LOOKUP_KEY: randomBytes(32).toString('base64url'),
        WECHAT_APPID: appid,
        WECHAT_SECRET: secret,
        WECHAT_API_URL: wechat.url,
      }
    })
    afterAll(() => wechat?.close())

    async function freePort(): Promise<string> {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      await new Promise((resolve) => server.close(resolve))
      return String(port)
    }

    function start(env: Record<string, string>): {
      child: ChildProcess
      output: () => string
      exited: Promise<number | null>
    } {
      const { root, workdir, user, environment, command } = image('server')
      const child = startInBareDebian(root, command, {
        env: { ...environment, ...env },
        workdir,
        user,
      })
      let output = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          output += text
        })
      }
      return {
        child,
        output: () => output,
        exited: new Promise((resolve) => child.once('close', resolve)),
      }
    }

    test('the migration makes the tables, and ends', async () => {
      const { root, workdir, user, command } = image('migration')
      const run = () =>
        inBareDebian(root, command, { env: { DATABASE_URL: databaseUrl }, workdir, user })
      expect(await run()).toContain('0001-ratings.sql')
      expect(await run()).toContain('Nothing to apply')
    })

    test('the server starts, is healthy and ready, serves everything over its few connections, and stops', async () => {
      const port = await freePort()
      const { child, output, exited } = start({ ...values, PORT: port })
      await expect.poll(output).toContain('listening on')
      const { root, workdir, user, healthcheck } = image('server')
      const health = () => inBareDebian(root, healthcheck, { env: { PORT: port }, workdir, user })
      await health()
      const url = `http://127.0.0.1:${port}`
      expect((await fetch(`${url}/readyz`)).status).toBe(200)

      const json = { 'content-type': 'application/json' }
      const { code } = wechat.issueCode({})
      const login = await fetch(`${url}/login`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ code }),
      })
      expect(login.status).toBe(200)
      const { token } = (await login.json()) as { token: string }
      const mine = { ...json, authorization: `JWT ${token}` }
      const body = JSON.stringify(rating())
      const [submit, query, devices] = [
        () => fetch(`${url}/score`, { method: 'POST', headers: mine, body }),
        () => fetch(`${url}/score`, { headers: mine }),
        () => fetch(`${url}/login/devices`, { headers: mine }),
      ]
      // A busy server asks to come again.
      const answered = (send: () => Promise<Response>) =>
        expect.poll(async () => (await send()).status).toBeLessThan(400)
      await Promise.all([submit, query, devices, submit, query, devices].map(answered))
      const admin = await createConnection(suite.adminUrl)
      const [rows] = await admin.query<RowDataPacket[]>(
        'select count(*) as connections from information_schema.processlist where db = ?',
        [new URL(databaseUrl).pathname.slice(1)],
      )
      await admin.end()
      expect(rows[0]?.connections).toBeGreaterThan(0)
      expect(rows[0]?.connections).toBeLessThanOrEqual(2)

      child.kill('SIGTERM')
      expect(await exited).toBe(0)
      expect(output().trim().split('\n').at(-1)).toBe('stopping')
      await expect(health()).rejects.toThrow('ended with 1')
    })

    test('without its variables the server ends with 1 and names them', async () => {
      const { output, exited } = start({})
      expect(await exited).toBe(1)
      expect(output()).toContain('DATABASE_URL is not set')
    })
  })
})

describe('a Dockerfile that is wrong', () => {
  test('is found by an instruction that is none', () => {
    expect(() => readDockerfile('FROM a AS b\nCOPPY x y')).toThrow('not known: COPPY')
  })

  test('is found by what it copies', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'miniscore-image-'))
    mkdirSync(path.join(folder, 'base'))
    writeFileSync(path.join(folder, '.env.prod'), '')
    const build = (source: string) =>
      buildImages(readDockerfile(`FROM scratch AS one\nCOPY ${source} ./`), {
        folder,
        ignored,
        baseOf: () => path.join(folder, 'base'),
        rootOf: () => path.join(folder, `one-${source}`),
        environment: {},
      })
    await expect(build('.env.prod')).rejects.toThrow('leaves it out')
    await expect(build('nothing.js')).rejects.toThrow('ENOENT')
    rmSync(folder, { recursive: true })
  })

  test.each([
    '.env.prod',
    '.env',
    '.data/dev.sqlite',
    'node_modules/a',
    'test/x/node_modules/a',
    '.git/config',
    'a.log',
  ])('what does not belong into it stays out: %s', (file) => expect(ignored(file)).toBe(true))

  test.each([
    'package.json',
    'shared/session/token.ts',
    'scripts/migrate.ts',
    'test/support/forms/five-stars.ts',
    '.npmrc',
  ])('what it needs does not: %s', (file) => expect(ignored(file)).toBe(false))
})
