import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import {
  createTokenSigner,
  createTokenVerifier,
  type TokenOptions,
} from '../../../shared/session/token.ts'
import attacks from '../../vectors/jwt-attacks.json' with { type: 'json' }

const { verifier, clock } = attacks.meta
const keys = Object.entries(verifier.keys).map(([kid, secret]) => ({
  kid,
  secret: new Uint8Array(Buffer.from(secret, 'base64url')),
}))
const options: TokenOptions = {
  keys,
  issuer: verifier.issuer,
  audience: verifier.audience,
  lifetimeSeconds: verifier.maxLifetimeSeconds,
  clockToleranceSeconds: verifier.clockToleranceSeconds,
  now: () => clock * 1000,
}
function createTokens(choice: TokenOptions) {
  return {
    ...createTokenSigner(choice),
    ...createTokenVerifier(choice),
  }
}
const person = { userId: 'user-1', sessionId: 's-1' }

describe('access tokens', () => {
  test('a token signed by the first key is accepted by every instance that knows the key', async () => {
    const { token, expiresInSeconds } = await createTokens(options).sign(person)
    expect(expiresInSeconds).toBe(900)
    expect(await createTokens({ ...options, keys: [...keys].reverse() }).verify(token)).toEqual(
      person,
    )
  })

  test('a token is refused once its key is dropped', async () => {
    const { token } = await createTokens(options).sign(person)
    expect(await createTokens({ ...options, keys: keys.slice(1) }).verify(token)).toBeUndefined()
  })

  test('a token lives exactly as long as it says, plus the tolerance', async () => {
    let nowMs = clock * 1000
    const tokens = createTokens({ ...options, clockToleranceSeconds: 60, now: () => nowMs })
    const { token } = await tokens.sign(person)
    nowMs += (900 + 59) * 1000
    expect(await tokens.verify(token)).toEqual(person)
    nowMs += 2000
    expect(await tokens.verify(token)).toBeUndefined()
  })

  test('an issuer whose clock is 30 s ahead is believed, one a day ahead is not', async () => {
    const ahead = (ms: number) => createTokens({ ...options, now: () => clock * 1000 + ms })
    const here = createTokens({ ...options, clockToleranceSeconds: 60 })
    expect(await here.verify((await ahead(30_000).sign(person)).token)).toEqual(person)
    expect(await here.verify((await ahead(86_400_000).sign(person)).token)).toBeUndefined()
  })

  test('flipping any single bit of a token makes it worthless', async () => {
    const tokens = createTokens(options)
    const { token } = await tokens.sign(person)
    const bytes = Buffer.from(token)
    let accepted = 0
    for (let index = 0; index < bytes.length; index += 3) {
      const flipped = Buffer.from(bytes)
      flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8))
      if (await tokens.verify(flipped.toString('latin1'))) accepted++
    }
    expect(accepted).toBe(0)
  })
})

describe('forged and confused tokens', () => {
  const tokens = createTokens(options)

  test.each(attacks.cases.map((each) => [each.class, each.id, each] as const))(
    '%s: %s',
    async (_class, _id, { token, expect: expectation }) => {
      const claims = await tokens.verify(String(token))
      if (expectation === 'accept') expect(claims).toBeDefined()
      if (expectation === 'reject') expect(claims).toBeUndefined()
      expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false)
      expect((claims as { admin?: unknown } | undefined)?.admin).toBeUndefined()
    },
  )

  test('a token of another type signed with our own key is refused', async () => {
    const [key] = keys
    const forged = await new SignJWT({ sid: 's-1' })
      .setProtectedHeader({ alg: 'HS256', typ: 'rt+jwt', kid: key?.kid ?? '' })
      .setIssuer(options.issuer)
      .setAudience(options.audience)
      .setSubject('user-1')
      .setJti('j-1')
      .setIssuedAt(clock)
      .setExpirationTime(clock + 900)
      .sign(key?.secret ?? new Uint8Array())
    expect(await tokens.verify(forged)).toBeUndefined()
  })
})
