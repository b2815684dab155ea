import { serve } from '../../shared/transport/serve.ts'
import {
  appidFrom,
  authority,
  clockFrom,
  codeClaimsFrom,
  countersFrom,
  forgottenRatingsFrom,
  lookupFrom,
  peopleFrom,
  ratingEraserFrom,
  sessionStoreFrom,
  sessionsFrom,
  vaultFrom,
  weChatFrom,
} from '../../shared/wiring/compose.ts'
import { devices, endDevice } from './devices.ts'
import { forgetMe } from './forget-me.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { phone } from './phone.ts'
import { refresh } from './refresh.ts'
import { userData } from './user-data.ts'

export const main_handler = serve({
  functionName: 'login',
  parts: {
    ...authority,
    appid: appidFrom,
    wechat: weChatFrom,
    people: peopleFrom,
    ratings: ratingEraserFrom,
    codeClaims: codeClaimsFrom,
    counters: countersFrom,
    sessions: sessionsFrom,
    sessionStore: sessionStoreFrom,
    vault: vaultFrom,
    lookup: lookupFrom,
    forgottenRatings: forgottenRatingsFrom,
    clock: clockFrom,
  },
  endpoints: [login, refresh, logout, devices, endDevice, phone, userData, forgetMe],
})
