/** Whether a function lives long enough for what it waits for, by the code's own budgets. */

import { WECHAT_BUDGET_MS } from '../../shared/wechat/api-call.ts'
import { DATABASE_BUDGET_MS } from '../../shared/wiring/database.ts'
import type { DesiredFunction, DesiredService } from '../tencent/service.ts'
import { error, type Finding, ok, warning } from './report.ts'

/** For a cold start and for the answer. */
const SPARE_MS = 1000
/** A function holds 48 to 68 MB after ten thousand requests; with less than this the platform may end it. */
const ROOMY_MEMORY_MB = 128

/** Findings `timeouts.<function>` and `timeouts.memory`. */
export function checkTimeouts(service: DesiredService): Finding[] {
  const findings = service.functions.flatMap((each) => [...timeoutOf(each), ...memoryOf(each)])
  if (findings.length > 0) return findings
  const seconds = service.functions.map(({ key, timeoutSeconds }) => `${key} ${timeoutSeconds} s`)
  return [
    ok('timeouts.functions', {
      zh: `超时足够：${seconds.join('、')}`,
      en: `timeouts are long enough: ${seconds.join(', ')}`,
    }),
  ]
}

function timeoutOf({ key, declared, timeoutSeconds }: DesiredFunction): Finding[] {
  const weChatMs = declared.includes('WECHAT_SECRET') ? WECHAT_BUDGET_MS : 0
  const databaseMs = declared.includes('DATABASE_URL') ? DATABASE_BUDGET_MS : 0
  const leastSeconds = Math.ceil((weChatMs + databaseMs + SPARE_MS) / 1000)
  if (timeoutSeconds >= leastSeconds) return []
  const waits = {
    zh: [
      ...(weChatMs ? [`等微信最多 ${weChatMs / 1000} 秒`] : []),
      ...(databaseMs ? [`等数据库最多 ${databaseMs / 1000} 秒`] : []),
    ].join('，'),
    en: [
      ...(weChatMs ? [`WeChat may take ${weChatMs / 1000} s`] : []),
      ...(databaseMs ? [`the database ${databaseMs / 1000} s`] : []),
    ].join(' and '),
  }
  return [
    error(
      `timeouts.${key}`,
      {
        zh: `${key} 的超时 ${timeoutSeconds} 秒太短：${waits.zh}，平台会在回答之前结束它`,
        en: `${key} has ${timeoutSeconds} s, too short: ${waits.en}; the platform would end it before it answers`,
      },
      {
        zh: `在 serverless.yml 里把 timeout 设为 ${leastSeconds} 秒以上（默认 10 秒）`,
        en: `set timeout in serverless.yml to ${leastSeconds} s or more (10 s as shipped)`,
      },
    ),
  ]
}

function memoryOf({ key, memorySize }: DesiredFunction): Finding[] {
  if (memorySize >= ROOMY_MEMORY_MB) return []
  return [
    warning(
      'timeouts.memory',
      {
        zh: `${key} 只有 ${memorySize} MB 内存：运行中会用到约 70 MB，可能被平台中止`,
        en: `${key} has ${memorySize} MB: it uses up to about 70 MB, and the platform may end it`,
      },
      {
        zh: `在 serverless.yml 里把 memorySize 设为 ${ROOMY_MEMORY_MB} 以上`,
        en: `set memorySize in serverless.yml to ${ROOMY_MEMORY_MB} or more`,
      },
    ),
  ]
}
