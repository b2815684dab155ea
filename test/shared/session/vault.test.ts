import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Vault } from '../../../shared/ports.ts'
import { createLookup } from '../../../shared/session/lookup.ts'
import { createVault } from '../../../shared/session/vault.ts'

const old = { kid: 'k-2024', bytes: randomBytes(32) }
const current = { kid: 'k-2025', bytes: randomBytes(48) }
const sessionKey = 'tiihtNczf5v6AKRyjwEUhQ=='
const context = 'session-key:0198c0de-0000-7000-8000-000000000001'
const vault = createVault({ keys: [current, old] })

/** Bit positions (over the whole sealed text) that can be flipped without being noticed. */
function unnoticedFlips(judged: Vault): number[] {
  const sealed = judged.seal(sessionKey, context)
  const positions = Array.from({ length: sealed.length * 8 }, (_, position) => position)
  return positions.filter((position) => {
    const flipped = Uint8Array.from(sealed)
    flipped[position >> 3] = (flipped[position >> 3] ?? 0) ^ (1 << (position & 7))
    return judged.open(flipped, context) !== undefined
  })
}

const otherContexts = [
  '',
  'session-key:0198c0de-0000-7000-8000-000000000002',
  'phone:0198c0de-0000-7000-8000-000000000001',
  `${context} `,
  context.slice(0, -1),
  context.toUpperCase(),
  `${context}\ud800`,
]

function contextsThatOpen(judged: Vault): string[] {
  const sealed = judged.seal(sessionKey, context)
  return otherContexts.filter((other) => judged.open(sealed, other) !== undefined)
}

function distinctSeals(judged: Vault, count: number): { whole: number; ivs: number } {
  const seals = Array.from({ length: count }, () => Buffer.from(judged.seal(sessionKey, context)))
  const ivStart = 2 + current.kid.length
  return {
    whole: new Set(seals.map((sealed) => sealed.toString('latin1'))).size,
    ivs: new Set(seals.map((sealed) => sealed.toString('latin1', ivStart, ivStart + 12))).size,
  }
}

describe('a sealed secret', () => {
  test('comes back as it was, whatever text and context', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 100 })
    fc.assert(
      fc.property(text, text, (plaintext, anyContext) => {
        const opened = vault.open(vault.seal(plaintext, anyContext), anyContext)
        expect(opened).toEqual({ plaintext, isCurrent: true })
      }),
    )
  })

  test('opens on another instance with the same keys', () => {
    const other = createVault({ keys: [current, old] })
    expect(other.open(vault.seal(sessionKey, context), context)?.plaintext).toBe(sessionKey)
  })

  test('opens from a slice of a larger buffer, as drivers hand it over', () => {
    const sealed = vault.seal(sessionKey, context)
    const row = Buffer.concat([Buffer.alloc(7, 1), sealed, Buffer.alloc(5, 1)])
    const column = row.subarray(7, 7 + sealed.length)
    expect(vault.open(column, context)?.plaintext).toBe(sessionKey)
  })

  test('with a session_key inside takes 30 bytes, the key id and the text, far below 255', () => {
    const sealed = vault.seal(sessionKey, context)
    expect(sealed.length).toBe(30 + current.kid.length + sessionKey.length)
  })

  test('shows nothing of the text, its bytes or the context', () => {
    const shown = Buffer.from(vault.seal(sessionKey, context))
    expect(shown.includes(current.kid)).toBe(true)
    for (const secret of [sessionKey, sessionKey.slice(0, 6), context, context.slice(-6)]) {
      expect(shown.includes(secret)).toBe(false)
    }
    expect(shown.includes(Buffer.from(sessionKey, 'base64').subarray(0, 4))).toBe(false)
  })

  test('never has the iv of another, nor the bytes', () => {
    expect(distinctSeals(vault, 5000)).toEqual({ whole: 5000, ivs: 5000 })
  })

  test('is refused whichever single bit is flipped', () => {
    expect(unnoticedFlips(vault)).toEqual([])
  })

  test('is refused under any other context', () => {
    expect(contextsThatOpen(vault)).toEqual([])
    expect(vault.open(vault.seal(sessionKey, '\ufffd'), '\ud800')).toBeUndefined()
  })

  test('is refused when cut at any length or lengthened', () => {
    const sealed = Buffer.from(vault.seal(sessionKey, context))
    for (let length = 0; length < sealed.length; length++) {
      expect(vault.open(sealed.subarray(0, length), context)).toBeUndefined()
    }
    expect(vault.open(Buffer.concat([sealed, Buffer.of(0)]), context)).toBeUndefined()
  })

  test('is refused when it says to be sealed by another key that we hold', () => {
    const twins = createVault({ keys: [current, { ...current, kid: 'k-2026' }] })
    const sealed = Buffer.from(twins.seal(sessionKey, context))
    sealed.write('k-2026', 2, 'latin1')
    expect(twins.open(sealed, context)).toBeUndefined()
  })

  test('cannot be made of arbitrary bytes, and none make opening throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (tail) => {
        const bytes = Buffer.concat([Buffer.of(1, 6), Buffer.from(current.kid), tail])
        expect(vault.open(tail, context)).toBeUndefined()
        expect(vault.open(bytes, context)).toBeUndefined()
      }),
    )
    for (const stray of [null, undefined, 'text', 1, {}, [1, 6]]) {
      expect(vault.open(stray as unknown as Uint8Array, context)).toBeUndefined()
    }
  })

  test('is not made of text that could not come back whole', () => {
    expect(() => vault.seal('\ud800', context)).toThrow('not well formed')
    expect(() => vault.seal('text', '\udc00')).toThrow('not well formed')
  })
})

describe('rotating the sealing keys', () => {
  const before = createVault({ keys: [old] })
  const sealedBefore = before.seal(sessionKey, context)

  test('a secret sealed by the old key opens and asks to be sealed anew', () => {
    expect(vault.open(sealedBefore, context)).toEqual({ plaintext: sessionKey, isCurrent: false })
    const resealed = vault.seal(sessionKey, context)
    expect(vault.open(resealed, context)?.isCurrent).toBe(true)
    expect(Buffer.from(resealed).includes(current.kid)).toBe(true)
  })

  test('an instance that got the new key only for opening reads what a newer one seals', () => {
    const waiting = createVault({ keys: [old, current] })
    expect(waiting.open(vault.seal(sessionKey, context), context)).toEqual({
      plaintext: sessionKey,
      isCurrent: false,
    })
  })

  test('once the old key is dropped, what it sealed is refused', () => {
    expect(createVault({ keys: [current] }).open(sealedBefore, context)).toBeUndefined()
  })

  test('other bytes under a known key id are refused', () => {
    const impostor = createVault({ keys: [{ kid: old.kid, bytes: randomBytes(32) }] })
    expect(impostor.open(sealedBefore, context)).toBeUndefined()
  })
})

describe('a vault that would not be safe is not created', () => {
  const bytes = randomBytes(32)
  test.each([
    ['without keys', [], 'no-key'],
    ['a short key', [{ kid: 'a', bytes: randomBytes(31) }], 'key-too-short'],
    ['a short older key', [current, { kid: 'b', bytes: randomBytes(16) }], 'key-too-short'],
    ['an empty id', [{ kid: '', bytes }], 'bad-key-id'],
    ['an id too long for its byte', [{ kid: 'k'.repeat(300), bytes }], 'bad-key-id'],
    ['an id that is not ASCII', [{ kid: 'ключ', bytes }], 'bad-key-id'],
    ['one id twice', [current, { kid: current.kid, bytes }], 'repeated-key-id'],
  ])('%s', (_name, keys, code) => {
    expect(() => createVault({ keys })).toThrow(expect.objectContaining({ name: 'KeyError', code }))
  })

  test('and the key that is too short is named, not shown', () => {
    const keys = [current, { kid: 'b', bytes: new Uint8Array(16).fill(65) }]
    expect(() => createVault({ keys })).toThrow('the key b has fewer than 32 bytes')
  })
})

describe('these checks catch', () => {
  afterEach(() => {
    vi.doUnmock('node:crypto')
    vi.resetModules()
  })

  /** The real vault over a crypto module with one thing broken. */
  async function brokenVault(
    breakIt: (real: typeof import('node:crypto')) => object,
  ): Promise<Vault> {
    vi.resetModules()
    vi.doMock('node:crypto', async (importOriginal) => {
      const real = await importOriginal<typeof import('node:crypto')>()
      return { ...real, ...breakIt(real) }
    })
    const broken = await import('../../../shared/session/vault.ts')
    return broken.createVault({ keys: [current, old] })
  }

  test('a vault that always uses the same iv', async () => {
    const broken = await brokenVault(() => ({ randomBytes: () => Buffer.alloc(12, 7) }))
    expect(distinctSeals(broken, 100)).toEqual({ whole: 1, ivs: 1 })
  })

  test('a vault that does not bind the context', async () => {
    const broken = await brokenVault(({ createCipheriv, createDecipheriv }) => {
      const unbound = (make: typeof createCipheriv | typeof createDecipheriv) =>
        ((...args: Parameters<typeof createCipheriv>) => {
          const cipher = make(...args)
          return Object.assign(cipher, { setAAD: () => cipher })
        }) as unknown
      return {
        createCipheriv: unbound(createCipheriv),
        createDecipheriv: unbound(createDecipheriv),
      }
    })
    expect(contextsThatOpen(broken).length).toBeGreaterThanOrEqual(otherContexts.length - 1)
  })

  test('a vault that does not check the tag', async () => {
    const broken = await brokenVault(({ createDecipheriv }) => ({
      createDecipheriv: (...args: Parameters<typeof createDecipheriv>) =>
        Object.assign(createDecipheriv(...args), { final: () => Buffer.alloc(0) }),
    }))
    expect(unnoticedFlips(broken).length).toBeGreaterThan(24 * 8)
  })
})

describe('a lookup digest', () => {
  const key = randomBytes(32)
  const lookup = createLookup({ key })
  const hex = (purpose: string, value: string, { digest } = lookup): string =>
    Buffer.from(digest(purpose, value)).toString('hex')

  test('is 32 bytes and the same on every instance with the key', () => {
    expect(lookup.digest('phone', '13580006666')).toHaveLength(32)
    expect(hex('phone', '13580006666', createLookup({ key }))).toBe(hex('phone', '13580006666'))
  })

  test('is unrelated under another key, so a copied database cannot be searched', () => {
    const other = createLookup({ key: randomBytes(32) })
    expect(hex('phone', '13580006666', other)).not.toBe(hex('phone', '13580006666'))
  })

  test('differs for any two pairs of purpose and value', () => {
    const part = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.constantFrom('1', '1:', ':', '\ud800', '\udc00', '\ufffd'),
    )
    fc.assert(
      fc.property(part, part, part, part, (purpose, value, otherPurpose, otherValue) => {
        const isSame = purpose === otherPurpose && value === otherValue
        expect(hex(purpose, value) === hex(otherPurpose, otherValue)).toBe(isSame)
      }),
      { numRuns: 500 },
    )
    expect(hex('phone', '1')).not.toBe(hex('code', '1'))
    expect(hex('ab', 'c')).not.toBe(hex('a', 'bc'))
    expect(hex('code', '\ud800')).not.toBe(hex('code', '\udc00'))
  })

  test('does not come from a short key', () => {
    const code = 'key-too-short'
    expect(() => createLookup({ key: randomBytes(31) })).toThrow(expect.objectContaining({ code }))
  })
})
