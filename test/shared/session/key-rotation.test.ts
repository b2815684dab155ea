import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createTokenSigner, createTokenVerifier } from '../../../shared/session/token.ts'
import { createVault } from '../../../shared/session/vault.ts'

const LIFETIME_SECONDS = 900
const [k1, k2] = ['k1', 'k2'].map((kid) => ({ kid, secret: new Uint8Array(randomBytes(32)) })) as [
  { kid: string; secret: Uint8Array },
  { kid: string; secret: Uint8Array },
]

/** Four instances take over each step of a rotation at different times, under traffic; counts refused good tokens. */
async function rotate(steps: (typeof k1)[][]): Promise<{ refused: number; accepted: number }> {
  let nowMs = Date.UTC(2026, 0, 1)
  let seed = 1
  const random = (below: number): number => {
    seed = (seed * 48271) % 0x7fffffff
    return seed % below
  }
  const configured = [0, 0, 0, 0]
  const options = (instance: number) => ({
    keys: steps[configured[instance] ?? 0] ?? [],
    issuer: 'i',
    audience: 'a',
    lifetimeSeconds: LIFETIME_SECONDS,
    clockToleranceSeconds: 60,
    now: () => nowMs,
  })
  const alive: { token: string; untilMs: number }[] = []
  const score = { refused: 0, accepted: 0 }
  const traffic = async (): Promise<void> => {
    nowMs += 5000
    const { token } = await createTokenSigner(options(random(4))).sign({
      userId: 'u',
      sessionId: 's',
    })
    alive.push({ token, untilMs: nowMs + LIFETIME_SECONDS * 1000 })
    const { token: used, untilMs } = alive[random(alive.length)] ?? { token, untilMs: nowMs }
    if (untilMs < nowMs) return
    const claims = await createTokenVerifier(options(random(4))).verify(used)
    if (claims) score.accepted++
    else score.refused++
  }
  for (let step = 1; step < steps.length; step++) {
    for (const instance of [2, 0, 3, 1]) {
      for (let index = 0; index < 10; index++) await traffic()
      configured[instance] = step
    }
    // Tokens of the step before run out before the next begins.
    for (let index = 0; index < 200; index++) await traffic()
  }
  return score
}

describe('keys are rotated under traffic', () => {
  test('known first, signing next, dropped last: nobody is refused', async () => {
    const { refused, accepted } = await rotate([[k1], [k1, k2], [k2, k1], [k2]])
    expect(refused).toBe(0)
    expect(accepted).toBeGreaterThan(300)
  })

  test('the drill finds a rotation that signs before everybody knows the key', async () => {
    expect((await rotate([[k1], [k2, k1], [k2]])).refused).toBeGreaterThan(0)
  })

  test('a session key sealed by the old key opens, and is current once sealed anew', () => {
    const keys = [k1, k2].map(({ kid, secret }) => ({ kid, bytes: secret }))
    const [first, second] = keys as [(typeof keys)[0], (typeof keys)[0]]
    const sealed = createVault({ keys: [first] }).seal('session key', 'c')
    const rotated = createVault({ keys: [second, first] })
    expect(rotated.open(sealed, 'c')).toEqual({ plaintext: 'session key', isCurrent: false })
    const again = rotated.seal('session key', 'c')
    expect(createVault({ keys: [second] }).open(again, 'c')?.isCurrent).toBe(true)
    expect(createVault({ keys: [second] }).open(sealed, 'c')).toBeUndefined()
  })
})
