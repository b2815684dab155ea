import { serve } from '../../shared/transport/serve.ts'
import { devices, endDevice } from './devices.ts'
import { forgetMe } from './forget-me.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { parts } from './parts.ts'
import { phone } from './phone.ts'
import { refresh } from './refresh.ts'
import { unbindPhone } from './unbind-phone.ts'
import { userData } from './user-data.ts'

export const main_handler = serve({
  functionName: 'login',
  parts,
  endpoints: [login, refresh, logout, devices, endDevice, phone, unbindPhone, userData, forgetMe],
})
