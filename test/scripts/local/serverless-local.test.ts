import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { projectFolder } from '../../../scripts/build/bundle.ts'
import { startServerless } from '../../support/local-command.ts'

const form = '{"httpMethod":"GET","path":"/form","headers":{},"queryString":{}}'
function invokeLocal(args: string[], environment: Record<string, string> = {}) {
  const memory = ['--database', 'sqlite::memory:']
  return startServerless(['invoke', 'local', ...args, ...memory], environment)
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-local-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('serverless invoke local', () => {
  test('prints the reply of the bundle, and with --platform-log what the platform would log', async () => {
    const command = invokeLocal(['-f', 'query-scores', '--data', form, '--platform-log'])
    expect(await command.exited).toBe(0)
    expect(command.output()).toContain('"statusCode": 200')
    expect(command.output()).toMatch(/START RequestId:.*\n[\s\S]*RetMsg:[\s\S]*Report RequestId:/)
  })

  test('an event file in another trigger’s shape is answered the same', async () => {
    const file = path.join(folder, 'event.json')
    await writeFile(file, form)
    const command = invokeLocal(['-f', 'query-scores', '--path', file, '--profile', 'cloudbase'])
    expect(await command.exited).toBe(0)
    expect(command.output()).toContain('acc_nbr')
  })

  test('a bad variable is named before it starts, and only one of that function', async () => {
    const login =
      '{"httpMethod":"POST","path":"/login","headers":{"content-type":"application/json"},"body":"{}"}'
    const strange = { ALLOWED_ORIGINS: 'x', ANONYMOUS_RATINGS: 'x' }
    const onQuery = invokeLocal(['-f', 'query-scores', '--data', form], strange)
    const onLogin = invokeLocal(['-f', 'login', '--data', login], strange)
    expect(await Promise.all([onQuery.exited, onLogin.exited])).toEqual([1, 1])
    expect(onQuery.output()).toContain('ALLOWED_ORIGINS should be')
    expect(onQuery.output()).not.toContain('ANONYMOUS_RATINGS')
    expect(onLogin.output()).toContain('ANONYMOUS_RATINGS should be')
    for (const command of [onQuery, onLogin]) {
      expect(command.output()).not.toContain('misconfigured')
    }
  })

  test.each([
    [['-f', 'query-scores', '--path', 'missing.json'], 'cannot be read'],
    [['-f', 'query-scores', '--data', '{'], 'is not JSON'],
    [['-f', 'nothing', '--data', form], 'There is no function "nothing"'],
    [['-f', 'query-scores', '--data', form, '--profile', 'x'], '--profile is one of'],
    [['-f', 'query-scores', '--data', '{}', '--profile', 'apigw'], '--profile needs an HTTP event'],
    [['-f', 'query-scores', '--data', form, '--inspect', 'x'], '--inspect takes a port'],
    [['-f', 'query-scores', '--data', form, '--stage', 'prod'], 'is stage local'],
    [
      ['-f', 'query-scores', '--data', form, '--wechat', 'https://x.test'],
      '--wechat needs WECHAT_',
    ],
  ])('%j ends with 1 and a sentence', async (args, sentence) => {
    const command = invokeLocal(args)
    expect(await command.exited).toBe(1)
    expect(command.output()).toContain(sentence)
  })

  test('a debugger stops at a line of a TypeScript file', async () => {
    const command = invokeLocal(['-f', 'query-scores', '--data', form, '--inspect', '0'])
    const [, address = ''] = await command.until(/^debug +query-scores +(ws:\S+)/m)
    const debugging = await attach(address)
    const file = 'functions/query-scores/form.ts'
    const source = await readFile(path.join(projectFolder, file), 'utf8')
    const line = source.split('\n').findIndex((each) => each.includes('createHash('))
    expect(line).toBeGreaterThan(0)
    const paused = await debugging.stopAt(file, line)
    expect(paused).toEqual({ file, line })
    debugging.resume()
    expect(await command.exited).toBe(0)
    expect(command.output()).toContain('"statusCode": 200')
  })
})

const DEVTOOLS_CODE = '0f3Gh7000Yq1mM1jJk200wDTPq0Gh7AB'

async function post(url: string, body: unknown): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json()
}

describe('serverless offline', () => {
  test('makes the events of the profile that is asked for, and logs in JSON where nobody watches', async () => {
    const data = path.join(folder, 'profile')
    const offline = startServerless(
      ['offline', '--profile', 'cloudbase', '--data-folder', data, '--platform-log'],
      { PORT: '0', WECHAT_PORT: '0' },
    )
    try {
      const [, gateway] = await offline.until(/^ready .*gateway\s+(http:\S+)\s+\(cloudbase\)/m)
      expect((await fetch(`${gateway}/form`)).status).toBe(200)
      const [line = ''] = await offline.until(/^\{.*"event":"request".*$/m)
      expect(JSON.parse(line)).toMatchObject({ route: 'GET /form', status: 200 })
      expect(offline.output()).toMatch(/^Init Report RequestId: /m)
      expect(offline.output()).toContain('RetMsg:')
      // As the WeChat DevTools send it: WeChat's own, which the offline one did not make.
      const foreign = (await post(`${gateway}/login`, { code: DEVTOOLS_CODE })) as object
      expect(foreign).toHaveProperty('token')
      expect(offline.output().match(/as the DevTools send/g)).toHaveLength(1)
    } finally {
      offline.signal('SIGTERM')
      await offline.exited
    }
  })

  // Only Linux lists processes as files.
  test.runIf(process.platform === 'linux')(
    'killed, it leaves no function behind, though a frozen one cannot notice',
    async () => {
      const offline = startServerless(['offline', '--data-folder', path.join(folder, 'killed')], {
        PORT: '0',
        WECHAT_PORT: '0',
      })
      const bundles = `dist/local/${offline.pid}`
      try {
        const [, gateway] = await offline.until(/^ready .*gateway\s+(http:\S+)/m)
        await fetch(`${gateway}/form`)
        expect(await processesNaming(`${bundles}/query-scores`)).toBe(1)
      } finally {
        offline.signal('SIGKILL')
        await offline.exited
        await rm(path.join(projectFolder, bundles), { recursive: true, force: true })
      }
      await expect.poll(() => processesNaming(bundles)).toBe(0)
    },
  )

  test('--watch takes over a changed source file; until it builds, no old code answers; --strict-codes refuses codes of the DevTools', async () => {
    const data = path.join(folder, 'watch')
    const offline = startServerless(
      ['offline', '--watch', '--strict-codes', '--inspect', '0', '--data-folder', data],
      { PORT: '0', WECHAT_PORT: '0' },
    )
    const file = path.join(projectFolder, 'functions/query-scores/form.ts')
    const before = await readFile(file, 'utf8')
    try {
      const [, gateway] = await offline.until(/^ready .*gateway\s+(http:\S+)/m)
      const form = () => fetch(`${gateway}/form`)
      // Every debugger's port is open before there was any request.
      for (const name of ['login', 'submit-score', 'query-scores']) {
        const [, port] = await offline.until(
          new RegExp(`^debug +${name} +ws://127.0.0.1:(\\d+)/`, 'm'),
        )
        expect((await fetch(`http://127.0.0.1:${port}/json/version`)).status).toBe(200)
      }
      expect((await form()).status).toBe(200)
      await writeFile(file, `${before}\nexport const unfinished = ;\n`)
      await offline.until(/^broken {2}query-scores/m)
      const refused = await form()
      expect(refused.status).toBe(502)
      const { errorMessage } = (await refused.json()) as { errorMessage: string }
      expect(errorMessage).toMatch(/does not build: functions\/query-scores\/form\.ts:\d+:\d+: /)
      await writeFile(file, `${before}\nthrow new Error('while loading')\n`)
      await offline.until(/^rebuilt query-scores/m)
      expect((await form()).status).toBe(502)
      const [failed = ''] = await offline.until(/^\{.*"function-failed".*while loading.*$/m)
      const line = before.split('\n').length + 1
      expect(JSON.parse(failed)).toMatchObject({
        function: 'query-scores',
        place: `functions/query-scores/form.ts:${line}:7`,
      })
      await writeFile(file, before)
      await offline.until(/^rebuilt query-scores[\s\S]*^rebuilt query-scores/m)
      expect((await form()).status).toBe(200)
      expect(await post(`${gateway}/login`, { code: DEVTOOLS_CODE })).toMatchObject({
        code: 'wechat-rejected-code',
      })
    } finally {
      await writeFile(file, before)
      offline.signal('SIGINT')
      expect(await offline.exited).toBe(0)
    }
  })
})

/** How many processes have this in their command line. */
async function processesNaming(text: string): Promise<number> {
  const ids = (await readdir('/proc')).filter((each) => /^\d+$/.test(each))
  const lines = await Promise.all(
    ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')),
  )
  return lines.filter((line) => line.includes(text)).length
}

interface Debugging {
  /** Sets a breakpoint at a line (from 0) of a TypeScript file, lets the program run, and says where it stopped. */
  stopAt(file: string, line: number): Promise<{ file: string; line: number }>
  resume(): void
}

interface Message {
  id?: number
  method?: string
  // biome-ignore lint/suspicious/noExplicitAny: the inspector protocol, as far as the test looks
  params?: any
  // biome-ignore lint/suspicious/noExplicitAny: the inspector protocol, as far as the test looks
  result?: any
}

/** A debugger as an editor is one: it reads the source map of the script and speaks the inspector protocol. */
async function attach(address: string): Promise<Debugging> {
  const socket = new WebSocket(address)
  const waiting: ((message: Message) => void)[] = []
  const seen: Message[] = []
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message
    seen.push(message)
    for (const listener of waiting) listener(message)
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  let lastId = 0
  const message = (matches: (message: Message) => boolean): Promise<Message> =>
    new Promise((resolve) => {
      const known = seen.find(matches)
      if (known) return resolve(known)
      waiting.push((each) => {
        if (matches(each)) resolve(each)
      })
    })
  const send = (method: string, params: object = {}): Promise<Message> => {
    const id = ++lastId
    socket.send(JSON.stringify({ id, method, params }))
    return message((each) => each.id === id)
  }
  await send('Runtime.enable')
  await send('Debugger.enable')

  return {
    async stopAt(file, line) {
      void send('Runtime.runIfWaitingForDebugger')
      await message(({ method }) => method === 'Debugger.paused')
      const isBundle = ({ method, params }: Message): boolean =>
        method === 'Debugger.scriptParsed' && String(params.url).endsWith('query-scores/index.js')
      // Loaded only after the first stop: a breakpoint by its address waits for it.
      const bundle = await newestBundle()
      const map = new SourceMap(JSON.parse(await readFile(`${bundle}.map`, 'utf8')))
      const lines = (await readFile(bundle, 'utf8')).split('\n')
      const original = (generated: number, column: number) => {
        const entry = map.findEntry(generated, column)
        return 'originalSource' in entry ? entry : undefined
      }
      const generated = lines.findIndex((text, index) =>
        [...text].some((_, column) => {
          const entry = original(index, column)
          return entry?.originalSource?.endsWith(file) && entry.originalLine === line
        }),
      )
      await send('Debugger.setBreakpointByUrl', {
        urlRegex: '.*query-scores/index\\.js$',
        lineNumber: generated,
      })
      seen.length = 0
      await send('Debugger.resume')
      const { params } = await message(({ method }) => method === 'Debugger.paused')
      await message(isBundle)
      const { lineNumber, columnNumber } = params.callFrames[0].location
      const entry = original(lineNumber, columnNumber)
      return {
        file: entry?.originalSource?.endsWith(file) ? file : '',
        line: entry?.originalLine ?? -1,
      }
    },
    resume() {
      void send('Debugger.resume')
      socket.close()
    },
  }
}

/** The bundle of the `invoke local` that was started last; each has a folder of its own. */
async function newestBundle(): Promise<string> {
  const folder = path.join(projectFolder, 'dist/invoke')
  const files = (await readdir(folder)).map((each) =>
    path.join(folder, each, 'query-scores/index.js'),
  )
  const times = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mtimeMs }) => ({ file, mtimeMs }),
        () => undefined,
      ),
    ),
  )
  const [newest] = times.flatMap((each) => each ?? []).sort((a, b) => b.mtimeMs - a.mtimeMs)
  return newest?.file ?? ''
}
