/** What login needs, and so which variables it is given; importing this starts nothing. */

import {
  appid,
  audit,
  clock,
  codeClaims,
  counters,
  everyFunction,
  forgetting,
  lookup,
  people,
  sessionStore,
  sessions,
  vault,
  weChat,
} from '../../shared/wiring/compose.ts'

export const parts = {
  ...everyFunction,
  appid,
  audit,
  wechat: weChat,
  people,
  forgetting,
  codeClaims,
  counters,
  sessions,
  sessionStore,
  vault,
  lookup,
  clock,
}
