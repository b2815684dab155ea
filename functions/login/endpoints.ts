/** What login answers; importing this starts nothing. */

import { devices, endDevice } from './devices.ts'
import { forgetMe } from './forget-me.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { phone } from './phone.ts'
import { refresh } from './refresh.ts'
import { unbindPhone } from './unbind-phone.ts'
import { userData } from './user-data.ts'

export const endpoints = [
  login,
  refresh,
  logout,
  devices,
  endDevice,
  phone,
  unbindPhone,
  userData,
  forgetMe,
]
