import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const recorder = fileURLToPath(new URL('../../support/record-contacts.cjs', import.meta.url))

/** What the recorder, on which the tests of "no other host" rest, writes down for this code. */
async function recorded(code: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'contacts-'))
  try {
    const CONTACTS_FILE = join(folder, 'contacts')
    const child = spawn(process.execPath, ['--require', recorder, '--eval', code], {
      env: { CONTACTS_FILE },
      stdio: 'ignore',
    })
    await new Promise((resolve) => child.once('close', resolve))
    return (await readFile(CONTACTS_FILE, 'utf8').catch(() => '')).split('\n').filter(Boolean)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

// Addresses of documentation (RFC 5737), and everything stops before a packet has gone far.
test.each([
  ['net', "require('net').connect(9, '192.0.2.1'); process.exit()", 'connect 192.0.2.1:9'],
  [
    'https',
    "require('https').get('https://192.0.2.1:9/'); setImmediate(process.exit)",
    'connect 192.0.2.1:9',
  ],
  [
    'fetch',
    "fetch('http://192.0.2.1:8080/'); setTimeout(process.exit, 200)",
    'connect 192.0.2.1:8080',
  ],
  ['dns', "require('dns').lookup('localhost', () => {})", 'dns localhost'],
])('a process that reaches out through %s is noticed', async (_way, code, contact) => {
  expect(await recorded(code)).toContain(contact)
})

test('a process that reaches nobody leaves nothing', async () => {
  expect(await recorded('1')).toEqual([])
})
