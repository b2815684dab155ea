import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import {
  addKey,
  dropKeys,
  idsOf,
  newNamedKey,
  rotateKeys,
} from '../../../scripts/stage-values/key-ring.ts'
import { dueOf, nextStep, noteOf } from '../../../scripts/stage-values/rotation.ts'
import { countSealedBy } from '../../../scripts/stage-values/sealed-by.ts'
import {
  withNoteAbove,
  withValueOf,
  writeStageFile,
} from '../../../scripts/stage-values/stage-file.ts'
import { createVault } from '../../../shared/session/vault.ts'
import { readVariables } from '../../../shared/wiring/configuration.ts'

const today = Date.parse('2026-11-24T18:30:00Z')
const HOUR_MS = 3_600_000

describe('replacing a key', () => {
  const old = newNamedKey(Date.parse('2026-01-02T00:00:00Z'))

  test('takes three steps, each of which functions accept', () => {
    const added = addKey(old, newNamedKey(today, old))
    expect(idsOf(added)).toEqual(['k20260102', 'k20261124'])
    const rotated = rotateKeys(added)
    expect(idsOf(rotated)).toEqual(['k20261124', 'k20260102'])
    const dropped = dropKeys(rotated)
    expect(idsOf(dropped)).toEqual(['k20261124'])
    for (const TOKEN_KEYS of [old, added, rotated, dropped])
      expect(readVariables(['TOKEN_KEYS'], { TOKEN_KEYS }).faults).toEqual([])
  })

  test('never takes one step for another', () => {
    const two = addKey(old, newNamedKey(today, old))
    expect(() => addKey(two, newNamedKey(today, two))).toThrow('two keys already')
    expect(() => rotateKeys(old)).toThrow('add one first')
    expect(() => dropKeys(old)).toThrow('in use')
  })

  test('gives two keys of one day different ids', () => {
    const first = newNamedKey(today)
    expect(idsOf(newNamedKey(today, first))).toEqual(['k20261124b'])
  })

  test('says what comes next, and when the old one may go', () => {
    const text = (step: string, ring: string) =>
      `${noteOf('TOKEN_KEYS', step, today)}\nTOKEN_KEYS=${ring}\n`
    const added = addKey(old, newNamedKey(today, old))
    expect(nextStep('TOKEN_KEYS', added, text('add', added))).toContain('keys -- rotate TOKEN_KEYS')
    expect(dueOf('TOKEN_KEYS', text('add', added))).toBeUndefined()
    const rotated = text('rotate', rotateKeys(added))
    // The longest-lived token, and an hour for the deploy.
    expect(dueOf('TOKEN_KEYS', rotated)).toBe(today + 25 * HOUR_MS)
    expect(nextStep('TOKEN_KEYS', rotateKeys(added), rotated)).toContain(
      'from 2026-11-25 19:30 UTC on',
    )
  })
})

describe('the file of a stage', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stage-file-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('keeps everything but the value', () => {
    const text = '# kept\nA=1\n#TOKEN_KEYS=not me\nTOKEN_KEYS=\nB="two words" # kept\n'
    const written = withValueOf(text, 'TOKEN_KEYS', 'k1:abc_-')
    expect(written).toBe(text.replace('\nTOKEN_KEYS=\n', '\nTOKEN_KEYS=k1:abc_-\n'))
    expect(parseEnv(written)).toEqual({ A: '1', TOKEN_KEYS: 'k1:abc_-', B: 'two words' })
  })

  test('has one note a variable, however many steps there were', () => {
    let text = 'A=1\nTOKEN_KEYS=x\n'
    for (const step of ['add', 'rotate'])
      text = withNoteAbove(text, 'TOKEN_KEYS', noteOf('TOKEN_KEYS', step, today))
    expect(text).toBe(
      'A=1\n# TOKEN_KEYS, last step: rotate 2026-11-24T18:30:00.000Z\nTOKEN_KEYS=x\n',
    )
  })

  test('takes no value that would be read back as another', () => {
    for (const value of ['a b', 'a#b', '"a"', 'a\nB=2'])
      expect(() => withValueOf('A=1', 'A', value), value).toThrow('A cannot hold')
    expect(() => withValueOf('A=1', 'B', 'x')).toThrow('B has no line')
  })

  test('is for the eyes of its owner, also where it was not before', async () => {
    const file = join(folder, '.env.prod')
    await writeFile(file, 'old', { mode: 0o644 })
    await writeStageFile(file, 'A=1\n')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await readFile(file, 'utf8')).toBe('A=1\n')
  })
})

test('a key is needed as long as one person’s session key or number is sealed with it', async () => {
  const vaultOf = (kid: string) => createVault({ keys: [{ kid, bytes: randomBytes(32) }] })
  const [old, current] = [vaultOf('old'), vaultOf('current')]
  const person = (user_id: number, ...sealed: (Uint8Array | null)[]) => ({
    user_id: Uint8Array.of(user_id),
    session_key_1: sealed[0] ?? null,
    session_key_2: sealed[1] ?? null,
    session_key_3: null,
    phone_sealed: sealed[2] ?? null,
  })
  const rows = [
    person(1, current.seal('a', 'x')),
    person(2, current.seal('a', 'x'), old.seal('b', 'x')),
    person(3),
    person(4, null, null, old.seal('13800138000', 'x')),
  ]
  const db = { query: async () => ({ rows, rowsAffected: 0 }) }
  expect(await countSealedBy(db as never, ['old'])).toBe(2)
  expect(await countSealedBy(db as never, ['older'])).toBe(0)
})
