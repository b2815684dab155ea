import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'vitest'
import { started } from './simulators/wechat/started.ts'

/** The command as a user runs it, but without the tsx wrapper process, so that signals reach it. */
function run(onTestFinished: TestContext['onTestFinished'], ...args: string[]) {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', 'scripts/wechat.ts', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  const seen = { out: '', err: '' }
  child.stdout?.on('data', (chunk) => {
    seen.out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    seen.err += chunk
  })
  return { child, seen, ended: once(child, 'close') }
}

describe.concurrent('the command', () => {
  test.for(['SIGINT', 'SIGTERM'] as const)(
    'says ready with its address, serves, and ends cleanly on %s though a request hangs',
    async (signal, { expect, onTestFinished }) => {
      const { child, seen, ended } = run(
        onTestFinished,
        '--port',
        '0',
        '--appid',
        'wxcli',
        '--secret',
        'cli-secret',
      )
      await expect.poll(() => seen.out).toContain('\n')
      const url = /^ready (http:\/\/127\.0\.0\.1:[0-9]+) appid=wxcli/.exec(seen.out)?.[1]
      const query = 'appid=wxcli&secret=cli-secret&js_code=x&grant_type=authorization_code'
      const response = await fetch(`${url}/sns/jscode2session?${query}`)
      expect(await response.text()).toContain('"errcode":40029')
      const fault = { method: 'POST', body: '{"kind":"hang"}' }
      await fetch(`${url}/sim/faults`, fault)
      const hanging = fetch(`${url}/cgi-bin/token`).catch(() => 'ended')
      await expect
        .poll(async () => (await fetch(`${url}/sim/requests`)).text())
        .toContain('"fault":"hang"')
      child.kill(signal)
      expect(await ended).toEqual([0, null])
      expect(await hanging).toBe('ended')
      expect(seen.out).not.toContain('cli-secret')
    },
  )

  test('a taken port ends it with code 1 and one sentence', async ({ expect, onTestFinished }) => {
    const { wechat } = await started({}, onTestFinished)
    const { seen, ended } = run(onTestFinished, '--port', String(wechat.port))
    expect((await ended)[0]).toBe(1)
    expect(seen).toEqual({
      out: '',
      err: `Cannot listen on 127.0.0.1:${wechat.port} (EADDRINUSE). Set --port.\n`,
    })
  })

  test('an option it does not know ends it with code 1, --help explains them', async ({
    expect,
    onTestFinished,
  }) => {
    const wrong = run(onTestFinished, '--prot', '3001')
    const help = run(onTestFinished, '--help')
    expect((await wrong.ended)[0]).toBe(1)
    expect(wrong.seen.err).toContain("'--prot'")
    expect((await help.ended)[0]).toBe(0)
    expect(help.seen.out).toContain('--appid')
  })

  test('a port that is no port is refused with a sentence', async ({ expect, onTestFinished }) => {
    const { seen, ended } = run(onTestFinished, '--port', '70000')
    expect((await ended)[0]).toBe(1)
    expect(seen.err).toBe('--port takes a port number from 0 to 65535, not "70000".\n')
  })
})
