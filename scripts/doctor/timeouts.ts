/** Whether a function lives long enough for what it waits for, by the code's own budgets. */

import { fill } from '../../shared/wiring/configuration.ts'
import { type DesiredFunction, type DesiredService, defaults } from '../service/service.ts'
import { faultSentences } from '../tencent/fault.ts'
import { deadlineFaults } from '../tencent/preflight.ts'
import { inChinese } from './chinese.ts'
import { error, type Finding, ok, warning } from './report.ts'

/** A function holds 48 to 68 MB after ten thousand requests; with less than this the platform may end it. */
const ROOMY_MEMORY_MB = 128

/** Findings `timeouts.<function>` and `timeouts.memory`. */
export function checkTimeouts(service: DesiredService): Finding[] {
  const findings = service.functions.flatMap((each) => [...timeoutOf(each), ...memoryOf(each)])
  if (findings.length > 0) return findings
  const seconds = service.functions.map(({ key, timeoutSeconds }) => `${key} ${timeoutSeconds} s`)
  return [
    ok('timeouts.functions')`
      超时足够：${seconds.join('、')}
      timeouts are long enough: ${seconds.join(', ')}`,
  ]
}

function timeoutOf(wanted: DesiredFunction): Finding[] {
  return deadlineFaults(wanted).map(
    ({ code, details }) => error(`timeouts.${wanted.key}`)`
      ${wanted.key}：${inChinese(code, details)}
      ${wanted.key}: ${fill(faultSentences[code], details)}
      在 serverless.yml 里把 timeout 设为 ${details?.least ?? ''} 秒以上（默认 ${defaults.timeoutSeconds} 秒）
      set timeout in serverless.yml to ${details?.least ?? ''} s or more (${defaults.timeoutSeconds} s as shipped)`,
  )
}

function memoryOf({ key, memorySize }: DesiredFunction): Finding[] {
  if (memorySize >= ROOMY_MEMORY_MB) return []
  return [
    warning('timeouts.memory')`
      ${key} 只有 ${memorySize} MB 内存：运行中会用到约 70 MB，可能被平台中止
      ${key} has ${memorySize} MB: it uses up to about 70 MB, and the platform may end it
      在 serverless.yml 里把 memorySize 设为 ${ROOMY_MEMORY_MB} 以上
      set memorySize in serverless.yml to ${ROOMY_MEMORY_MB} or more`,
  ]
}
