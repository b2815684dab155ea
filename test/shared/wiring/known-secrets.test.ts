import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readVariables } from '../../../shared/wiring/configuration.ts'
import { isKnownSecret } from '../../../shared/wiring/known-secrets.ts'
import { readVectors } from '../../support/vectors.ts'

const { secrets, meta } = readVectors<{ secrets: string[]; meta: { count: number } }>(
  'known-secrets',
)

/** The ways to put a public secret into a variable: as it stands, or as the bytes of its text. */
const spellings: [how: string, spell: (secret: string) => string][] = [
  ['as it stands', (secret) => secret],
  ['in the alphabet of URLs', (secret) => secret.replaceAll('+', '-').replaceAll('/', '_')],
  ['as the bytes of its text', (secret) => Buffer.from(secret).toString('base64url')],
]

/** The public secrets that a variable takes. */
function accepted(wrap: (key: string) => [variable: string, text: string]): string[] {
  return spellings.flatMap(([how, spell]) =>
    secrets
      .filter((secret) => {
        const [variable, text] = wrap(spell(secret))
        const names = [variable as 'TOKEN_KEYS' | 'SEALING_KEYS' | 'LOOKUP_KEY']
        return readVariables(names, { [variable]: text }).faults.length === 0
      })
      .map((secret) => `${secret} ${how}`),
  )
}

const random = () => randomBytes(32).toString('base64url')

describe('a publicly known secret', () => {
  test('there are many of them', () => {
    expect(secrets.length).toBe(meta.count)
    expect(secrets.length).toBeGreaterThan(1800)
  })

  test.each([
    ['TOKEN_KEYS', 'the first key', (key: string) => `k1:${key}`],
    ['TOKEN_KEYS', 'an older key', (key: string) => `k2:${random()},k1:${key}`],
    ['SEALING_KEYS', 'a key', (key: string) => `s1:${key}`],
    ['LOOKUP_KEY', 'the key', (key: string) => key],
  ])('is never taken in %s as %s', (variable, _place, ring) => {
    expect(accepted((key) => [variable, ring(key)])).toEqual([])
  })

  test('is called one, unless it is no key at all', () => {
    const codes = secrets.flatMap((secret) =>
      readVariables(['LOOKUP_KEY'], { LOOKUP_KEY: secret }).faults.map(({ code }) => code),
    )
    const count = (code: string) => codes.filter((each) => each === code).length
    // Those that length and randomness alone let pass, but for those that are text in base64.
    expect(count('known-secret') + count('weak-key')).toBeGreaterThan(525)
    expect(count('known-secret')).toBeGreaterThan(500)
  })
})

test('a key nobody published is taken', () => {
  expect(isKnownSecret(createHash('sha256').update('nobody published this').digest())).toBe(false)
})

test('a random key is taken for known less than once in seven million times', () => {
  expect(prefixes().length / 2 ** 32).toBeLessThan(1 / 7_000_000)
})

test('the list in the source is that of the public secrets which would pass for random', () => {
  const passing = secrets
    .flatMap((secret) => [
      ...(/^[A-Za-z0-9+/_-]+={0,2}$/.test(secret) ? [Buffer.from(secret, 'base64')] : []),
      Buffer.from(secret),
    ])
    .filter((key) => key.length >= 32 && new Set(key).size >= 16)
    .filter((key) => key.some((byte) => byte < 0x20 || byte >= 0x7f))
  const made = passing.map((key) => createHash('sha256').update(key).digest('hex').slice(0, 8))
  expect(prefixes()).toEqual([...new Set(made)].sort())
})

/** What the source holds. */
function prefixes(): string[] {
  const source = new URL('../../../shared/wiring/known-secrets.ts', import.meta.url)
  const packed = /'([A-Za-z0-9+/=]{1000,})'/.exec(readFileSync(source, 'utf8'))?.[1] ?? ''
  return Buffer.from(packed, 'base64').toString('hex').match(/.{8}/g) ?? []
}
