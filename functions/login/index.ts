import { appidFrom, clockFrom, storeFrom, tokensFrom, weChatFrom } from '../../shared/compose.ts'
import { serve } from '../../shared/transport/serve.ts'
import { login } from './login.ts'

export const main_handler = serve({
  functionName: 'login',
  parts: {
    appid: appidFrom,
    wechat: weChatFrom,
    store: storeFrom,
    tokens: tokensFrom,
    clock: clockFrom,
  },
  endpoints: [login],
})
