import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { watchSettings } from '../../../scripts/local/settings-watch.ts'

test('a change of a file that is read only at the start is said, once; one that changes nothing is not', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-settings-'))
  const write = (file: string, text: string) => writeFile(path.join(folder, file), text)
  const lines: string[] = []
  const closers: (() => unknown)[] = []
  try {
    await write('serverless.yml', 'service: a\n')
    const defer = (closer: () => unknown) => void closers.push(closer)
    await watchSettings({ folder, print: (line) => lines.push(line), defer })
    await utimes(path.join(folder, 'serverless.yml'), new Date(), new Date())
    await write('other.yml', 'x')
    await write('.env.prod', 'A=1\n')
    await expect.poll(() => lines).toEqual([expect.stringMatching(/^changed \.env\.prod: nothing/)])
    await write('serverless.yml', 'service: b\n')
    await expect.poll(() => lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^changed serverless\.yml: restart/)
  } finally {
    for (const close of closers) close()
    await rm(folder, { recursive: true, force: true })
  }
})
