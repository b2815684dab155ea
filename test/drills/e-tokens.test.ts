import { describe, expect, test, vi } from 'vitest'
import type { Tokens } from '../../shared/ports.ts'
import { createTokenVerifier, type TokenOptions } from '../../shared/session/token.ts'
import { readVariables } from '../../shared/wiring/configuration.ts'
import { somebody } from '../support/drill-fake-world.ts'
import { drillSigner, fakeParts, functionsInProcess } from '../support/drill-functions.ts'
import { drillSeed, seededChance } from '../support/drill-random.ts'
import { isFoundOut, isFullDrill, reportDrill } from '../support/drill-report.ts'
import { importPatched } from '../support/drill-variant.ts'
import { call } from '../support/http-events.ts'
import {
  corpusOptions,
  corpusTokens,
  type ForgedToken,
  flippedTokens,
  goodTokens,
  publiclySigned,
  shapedTokens,
  shapeNames,
} from '../support/token-drill.ts'
import { readVectors } from '../support/vectors.ts'
import { randomKey } from '../support/world.ts'

const FLIPS = isFullDrill ? 32_768 : 4096
const { secrets } = readVectors<{ secrets: string[] }>('known-secrets')

type Verifier = Pick<Tokens, 'verify'>
const verifyWith = (verifier: Verifier, { token }: { token: string }) =>
  verifier.verify(token).catch(() => undefined)

/** Which of these a verifier takes. */
async function acceptedBy(verifier: Verifier, tokens: Iterable<ForgedToken>): Promise<string[]> {
  const accepted: string[] = []
  for (const forged of tokens) {
    if (await verifyWith(verifier, forged)) accepted.push(forged.kind)
  }
  return accepted
}

/** All but bit flips and public secrets, which the recipe’s options have no say in. */
const crafted = (): ForgedToken[] => [...corpusTokens('reject'), ...shapedTokens()]

describe('a token that is not ours', () => {
  const verifier = createTokenVerifier(corpusOptions)
  const chance = seededChance(drillSeed())
  const accepted: string[] = []
  let tried = 0

  const tryAll = async (tokens: readonly ForgedToken[]): Promise<void> => {
    tried += tokens.length
    accepted.push(...(await acceptedBy(verifier, tokens)))
  }

  test('is refused by everybody with one and the same answer, and ours are taken', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch')
    await tryAll(corpusTokens('reject'))
    await tryAll(shapedTokens())
    await tryAll(publiclySigned(secrets))
    await tryAll([...flippedTokens(FLIPS, chance)])
    const good = await Promise.all(goodTokens().map((token) => verifyWith(verifier, { token })))
    const controls = good.filter(Boolean).length
    const bodies = await refusals()
    await reportDrill({
      drill: 'E',
      figures: {
        tried,
        shapes: shapeNames.length,
        publicSecrets: secrets.length * 2,
        bitFlips: FLIPS,
        accepted: accepted.length,
        controls: `${controls}/${good.length}`,
        answers: bodies.size,
        networkCalls: fetched.mock.calls.length,
        seed: chance.seed,
      },
      passed: accepted.length === 0 && controls === good.length && bodies.size === 1,
    })
    expect(accepted).toEqual([])
    expect(controls).toBe(5)
    expect([...bodies]).toHaveLength(1)
    expect(fetched).not.toHaveBeenCalled()
  })

  test('no public secret is taken for a key by a deployment, in any spelling of its bytes', () => {
    const taken = secrets.filter((secret) =>
      [secret, Buffer.from(secret).toString('base64url')].some(
        (key) => readVariables(['TOKEN_KEYS'], { TOKEN_KEYS: `k1:${key}` }).faults.length === 0,
      ),
    )
    expect(taken).toEqual([])
  })
})

/** What callers are told, through the whole function. */
async function refusals(): Promise<Set<string>> {
  const kept = randomKey('k1')
  const key = { kid: 'k1', secret: new Uint8Array(Buffer.from(kept.slice(3), 'base64url')) }
  const signer = drillSigner('wx0123456789abcdef', key)
  const functions = functionsInProcess(
    {
      TOKEN_KEYS: kept,
      LOOKUP_KEY: randomKey('').slice(1),
      WECHAT_APPID: 'wx0123456789abcdef',
      DATABASE_URL: 'mysql://user:password@127.0.0.1:1/none',
    },
    { others: fakeParts(signer, key) },
  )
  const { token } = await signer.sign(somebody)
  const ask = (text: string) =>
    call((event) => functions['query-scores'].http(event, { request_id: 'r' }), 'GET /score', {
      token: text,
    })
  expect((await ask(token)).status).toBe(200)
  const answers = new Set<string>()
  for (const { token: text } of crafted()) {
    // Without any text there is no token, and the caller is told to log in.
    if (text.trim() === '') continue
    const { status, body, headers } = await ask(text)
    const told = { status, body, 'www-authenticate': headers['www-authenticate'] }
    answers.add(JSON.stringify(told))
  }
  return answers
}

describe('the drill finds a verifier without', () => {
  const recipe = 'shared/session/token.ts'
  /** A verifier that reads headers, and takes those for ours that are when so changed. */
  const readingHeader = (members: string): [from: string, to: string] => [
    'const key = knownHeaders.get(header)',
    `let parsed = {}
     try { parsed = JSON.parse(Buffer.from(header, 'base64url').toString()) ?? {} } catch {}
     const key = knownHeaders.get(encode({ ${members} }))`,
  ]
  /** What stands behind an option is taken out with it, where a second control would refuse as well. */
  const variants: [what: string, ...changes: [from: string, to: string][]][] = [
    [
      'a fixed algorithm',
      readingHeader("alg: 'HS256', typ: parsed.typ, kid: parsed.kid"),
      ['if (!isSame(', "if (signature !== '' && !isSame("],
    ],
    ['a look at the type', readingHeader("alg: parsed.alg, typ: 'at+jwt', kid: parsed.kid")],
    [
      'a look at the issuer',
      ['issuer,\n          audience,\n          required', 'audience,\n          required'],
    ],
    ['a look at the audience', ['audience,\n          requiredClaims', 'requiredClaims']],
    [
      'required claims',
      ['requiredClaims: REQUIRED_CLAIMS,', ''],
      ["|| typeof sid !== 'string' || typeof jti !== 'string'", ''],
    ],
    ['a limit of age', ['maxTokenAge: lifetimeSeconds,', '']],
    ['its own clock', ['currentDate: new Date(now()),', '']],
    ['a bare header', readingHeader('alg: parsed.alg, typ: parsed.typ, kid: parsed.kid')],
    [
      'one spelling',
      ['isSame(signature,', "isSame(Buffer.from(signature, 'base64url').toString('base64url'),"],
    ],
    ['a limit of life', ['if (exp - iat > lifetimeSeconds) return undefined', '']],
    [
      'whole seconds',
      ['if (!Number.isInteger(iat) || !Number.isInteger(exp)) return undefined', ''],
    ],
    ['a look at the subject', ['!SUBJECT.test(sub) || !SUBJECT.test(sid) ||', '']],
    ['a look at the token’s id', [" || jti === ''", '']],
    ['a key for each name', readingHeader('alg: parsed.alg, typ: parsed.typ, kid: keys[0]?.kid')],
    ['tolerance within reason', ['clockTolerance: clockToleranceSeconds,', 'clockTolerance: 1e6,']],
    ['a look at the signature', ['if (!isSame(', 'if (false && !isSame(']],
  ]

  test.each(variants)('%s', async (what, ...changes) => {
    const isTaken = async (): Promise<boolean> => {
      const { createTokenVerifier: createBroken } = await importPatched<{
        createTokenVerifier(options: TokenOptions): Verifier
      }>(
        recipe,
        changes.map(([from, to]) => ({ file: recipe, from, to })),
      )
      const accepted = await acceptedBy(createBroken(corpusOptions), crafted())
      // On another clock than the tokens’ it is ours that are refused.
      const good = goodTokens().map((token) => ({ kind: 'ours', token }))
      const taken = await acceptedBy(createBroken(corpusOptions), good)
      return what === 'its own clock' ? taken.length < good.length : accepted.length > 0
    }
    expect(await isFoundOut({ drill: 'E', variant: `without ${what}` }, isTaken)).toBe(true)
  })
})
