/** This computer's clock against WeChat's, by the `Date` header of an answer. */

import type { HttpAnswer } from './http-exchange.ts'
import { error, type Finding, ok, skipped, warning } from './report.ts'

const WARN_ABOVE_SECONDS = 30
/** Tokens from a clock further away than this are refused by the others. */
const WRONG_ABOVE_SECONDS = 60

/** Finding `clock.skew`. */
export function checkClock(answer: HttpAnswer | undefined): Finding {
  if (answer?.dateMs === undefined) {
    return skipped('clock.skew', {
      zh: '时钟没有核对：没有带时间的微信回答可比',
      en: 'the clock was not compared: there is no dated answer of WeChat',
    })
  }
  // The header counts whole seconds: half a second is missing on average.
  const middleMs = (answer.sentMs + answer.receivedMs) / 2
  const skewSeconds = Math.round((middleMs - answer.dateMs - 500) / 1000)
  const away = Math.abs(skewSeconds)
  if (away <= WARN_ABOVE_SECONDS) {
    return ok('clock.skew', {
      zh: `本机时钟与微信相差 ${away} 秒`,
      en: `this computer’s clock is ${away} s from WeChat’s`,
    })
  }
  return (away > WRONG_ABOVE_SECONDS ? error : warning)(
    'clock.skew',
    {
      zh: `本机时钟比微信${skewSeconds > 0 ? '快' : '慢'} ${away} 秒：超过 ${WRONG_ABOVE_SECONDS} 秒，令牌会被当作过期或尚未生效`,
      en: `this computer’s clock is ${away} s ${skewSeconds > 0 ? 'ahead of' : 'behind'} WeChat’s: beyond ${WRONG_ABOVE_SECONDS} s tokens count as expired or not valid yet`,
    },
    {
      zh: '开启系统的自动校时（NTP）；部署签名也依赖准确的时间。云函数的时钟由平台校准',
      en: 'switch the system’s time synchronisation (NTP) on; a deploy’s signatures depend on it too. The functions’ clocks are the platform’s',
    },
  )
}
