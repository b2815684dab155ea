/**
 * A `wx.login` code beside the token, for what cannot be taken back: whoever stole a token has none. WeChat gives it to the
 * mini program on the person's own phone, for one use within five minutes.
 * https://developers.weixin.qq.com/miniprogram/dev/api/open-api/login/wx.login.html
 */

import type {
  Caller,
  Clock,
  CodeClaimStore,
  Lookup,
  PersonStore,
  Vault,
  WeChat,
} from '../../shared/ports.ts'
import { Problem } from '../../shared/problem.ts'
import { claimCode } from './code-claim.ts'
import { sealSessionKey } from './session-keys.ts'

/** What it takes to look at such a code. */
export interface FreshLoginNeeds {
  appid: string
  wechat: WeChat
  people: PersonStore
  codeClaims: CodeClaimStore
  lookup: Lookup
  vault: Vault
  clock: Clock
}

/**
 * Lets the caller pass who brings a code of their own. Whom the platform vouches for with this very call needs none.
 * @throws {Problem} `fresh-login-required` without a code, or with somebody else's; `wechat-…` when WeChat refuses it
 */
export async function requireFreshLogin(
  code: string | undefined,
  needs: FreshLoginNeeds,
  { userId, openid, isVouchedFor }: Caller,
  remainingMs: () => number,
): Promise<void> {
  if (isVouchedFor) return
  if (code === undefined) throw new Problem('fresh-login-required')
  const { appid, wechat, people, clock } = needs
  const nonce = `fresh-login:${userId}`
  const claim = await claimCode(needs, { purpose: 'login-code', code, nonce, remainingMs })
  if (claim.state === 'settled') {
    if (claim.userId !== userId) throw new Problem('fresh-login-required')
    return
  }
  try {
    const user = await wechat.exchangeCode(code, remainingMs())
    if (user.openid !== openid) throw new Problem('fresh-login-required')
    // With this code WeChat may have made a new session key, which later data is encrypted with.
    const sessionKeyOf = (id: string) => sealSessionKey(needs, id, user.sessionKey)
    const { unionid } = user
    await people.noteLogin({ appid, openid, unionid, sessionKeyOf, atMs: clock.now() })
    await claim.settle({ userId })
  } catch (error) {
    await claim.release().catch(() => {})
    throw error
  }
}
