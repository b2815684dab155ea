import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type {
  Clock,
  CodeClaimStore,
  Forgetting,
  Lookup,
  PersonStore,
  Sessions,
  TokenPair,
  Vault,
  WeChat,
} from '../../shared/ports.ts'
import { Problem } from '../../shared/problem.ts'
import type { UserData } from '../../shared/wechat/user-data.ts'
import { claimCode } from './code-claim.ts'
import {
  Code,
  encryptedFields,
  signedFields,
  TokenPairOutput,
  tokenPairOutput,
  UserDataOutput,
} from './fields.ts'
import { decryptWithKeys, openSessionKeys, sealSessionKey } from './session-keys.ts'

const deviceMessage = '设备标识（device）应为 1 到 64 个字的字符串'
const proofKeyMessage = '会话绑定（proofKey）应为 base64url 编码的 SHA-256'

const LoginInput = v.pipe(
  v.strictObject({
    code: Code('code'),
    encryptedData: v.optional(encryptedFields.encryptedData),
    iv: v.optional(encryptedFields.iv),
    ...signedFields,
    device: v.optional(
      v.pipe(
        v.string(deviceMessage),
        v.check((text) => text !== '' && text.length <= 64, deviceMessage),
      ),
    ),
    proofKey: v.optional(
      v.pipe(
        v.string(proofKeyMessage),
        v.regex(/^[A-Za-z0-9_-]{43}$/, proofKeyMessage),
        v.transform((text): Uint8Array => Buffer.from(text, 'base64url')),
      ),
    ),
  }),
  v.forward(
    v.check(
      ({ encryptedData, iv }) => (encryptedData === undefined) === (iv === undefined),
      '加密数据（encryptedData）与 iv 应同时提供',
    ),
    ['iv'],
  ),
)

interface Needs {
  appid: string
  wechat: WeChat
  people: PersonStore
  forgetting: Forgetting
  codeClaims: CodeClaimStore
  sessions: Sessions
  vault: Vault
  lookup: Lookup
  clock: Clock
}

/**
 * `POST /login`: a `wx.login` code for a session. The same code with the same `device` within a minute gives
 * the same session again, so that a lost answer costs nothing. `proofKey` binds the session to a secret.
 */
export const login = defineEndpoint<Needs>()({
  route: 'POST /login',
  auth: 'none',
  input: LoginInput,
  output: v.object({
    ...TokenPairOutput,
    user: v.object({ id: v.string(), ...UserDataOutput }),
  }),
  async handle({ input, needs, facts: { remainingMs }, security }) {
    const { code, device } = input
    // Claimed before WeChat is asked: with the database down no code is used up. Without a device nobody may repeat it.
    const nonce = device ?? crypto.randomUUID()
    const claim = await claimCode(needs, { purpose: 'login-code', code, nonce, remainingMs })
    if (claim.state === 'settled') {
      const { userId, sessionId } = claim
      const pair =
        sessionId === null ? undefined : await needs.sessions.repeat({ userId, sessionId })
      if (!pair) throw new Problem('wechat-rejected-code')
      security.identify(userId)
      return { output: { ...tokenPairOutput(pair), user: { id: userId } } }
    }
    try {
      const { pair, userId, userData } = await logIn(input, needs, remainingMs)
      security.identify(userId)
      // Nobody may repeat it without a device, so nothing of it needs to be kept.
      if (device === undefined) await claim.release().catch(() => {})
      else await claim.settle({ userId, sessionId: pair.sessionId })
      await needs.forgetting.finishSome()
      return { output: { ...tokenPairOutput(pair), user: { ...userData, id: userId } } }
    } catch (error) {
      await claim.release().catch(() => {})
      throw error
    }
  },
})

interface LoggedIn {
  userId: string
  pair: TokenPair & { sessionId: string }
  userData: UserData | undefined
}

async function logIn(
  input: v.InferOutput<typeof LoginInput>,
  needs: Needs,
  remainingMs: () => number,
): Promise<LoggedIn> {
  const { appid, wechat, people, sessions, clock } = needs
  const { openid, sessionKey, unionid } = await wechat.exchangeCode(input.code, remainingMs())
  const atMs = clock.now()
  const sessionKeyOf = (id: string) => sealSessionKey(needs, id, sessionKey)
  const userId = await people.noteLogin({ appid, openid, unionid, sessionKeyOf, atMs })

  const { encryptedData, iv, rawData, signature, device = '', proofKey = null } = input
  let userData: UserData | undefined
  if (encryptedData !== undefined) {
    const data = { appid, openid, encryptedData, iv, rawData, signature, nowMs: atMs }
    userData = decryptWithKeys([sessionKey], data)
    // Encrypted before this code was made, perhaps.
    userData ??= decryptWithKeys(await openSessionKeys(needs, userId), data)
    if (!userData) throw new Problem('session-key-stale')
  }
  const pair = await sessions.start({ userId, kind: 'code', device, proofHash: proofKey })
  return { userId, pair, userData }
}
