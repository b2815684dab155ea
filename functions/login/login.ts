import { v7 as uuidV7 } from 'uuid'
import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { Clock, Store, Tokens, WeChat } from '../../shared/ports.ts'

/** Codes are 32 characters today; nothing but their being short and printable is promised. */
const Code = v.pipe(
  v.string('登录凭证（code）应为字符串'),
  v.regex(/^[\x21-\x7e]{1,128}$/, '登录凭证（code）格式不正确'),
)

/** `POST /login`: a `wx.login` code for an access token. */
export const login = defineEndpoint({
  route: 'POST /login',
  auth: 'none',
  input: v.strictObject({ code: Code }),
  output: v.object({
    token: v.string(),
    tokenType: v.literal('JWT'),
    expiresIn: v.number(),
    user: v.object({ id: v.string() }),
  }),
  async handle(
    { code },
    needs: { appid: string; wechat: WeChat; store: Store; tokens: Tokens; clock: Clock },
    _caller,
    { remainingMs },
  ) {
    const { appid, wechat, store, tokens, clock } = needs
    const { openid, unionid } = await wechat.exchangeCode(code, remainingMs())
    const atMs = clock.now()
    const { userId } = await store.signIn({ appid, openid, unionid, atMs })
    const sessionId = uuidV7({ msecs: atMs })
    const { token, expiresInSeconds } = await tokens.sign({ userId, sessionId })
    return {
      output: { token, tokenType: 'JWT', expiresIn: expiresInSeconds, user: { id: userId } },
    }
  },
})
