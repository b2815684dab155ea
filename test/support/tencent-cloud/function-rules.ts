/** Which values the cloud takes for a function: quotas and formats of cloud.tencent.com/document/product/583/11637 and of CreateFunction. */

import { Refusal } from './refusal.ts'
import type { StoredFunction } from './stored-function.ts'
import { readZip } from './zip-reader.ts'

const runtimes = new Set([
  'Nodejs12.16',
  'Nodejs14.18',
  'Nodejs16.13',
  'Nodejs18.15',
  'Nodejs20.19',
])
const environmentLimitBytes = 4096

function refuse(code: string, message: string): never {
  throw new Refusal(code, message)
}

/** Throws a `Refusal` for the first value outside the documented range. */
export function checkConfiguration(wanted: StoredFunction): void {
  const { name, handler, memorySize, timeoutSeconds, description, variables } = wanted
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]$/.test(name))
    refuse('InvalidParameterValue.FunctionName', `函数名 ${name} 不符合规范。`)
  if (!runtimes.has(wanted.runtime))
    refuse('InvalidParameterValue.Runtime', `运行环境 ${wanted.runtime} 不支持。`)
  if (
    wanted.type === 'Event' &&
    !/^[A-Za-z][\w-]{0,58}[A-Za-z]\.[A-Za-z][\w-]{0,58}[A-Za-z]$/.test(handler)
  )
    refuse('InvalidParameterValue.Handler', `函数入口 ${handler} 不符合规范。`)
  if (memorySize !== 64 && (memorySize % 128 !== 0 || memorySize < 128 || memorySize > 3072))
    refuse('InvalidParameterValue.MemorySize', `内存 ${memorySize} 不在可选范围内。`)
  if (timeoutSeconds < 1 || timeoutSeconds > 900)
    refuse('InvalidParameterValue.Timeout', `超时时间 ${timeoutSeconds} 不在可选范围内。`)
  if (description.length > 1000 || !/^[A-Za-z0-9\s,.\u4e00-\u9fff]*$/.test(description))
    refuse('InvalidParameterValue.Description', '函数描述包含不支持的字符或过长。')
  let bytes = 0
  for (const [key, value] of Object.entries(variables)) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(key) || /^(SCF_|QCLOUD_|TENCENTCLOUD_)/.test(key))
      refuse('InvalidParameterValue.EnvironmentKey', `环境变量名 ${key} 不符合规范。`)
    if (value === '') refuse('InvalidParameterValue.EnvironmentValue', `环境变量 ${key} 的值为空。`)
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > environmentLimitBytes)
    refuse('LimitExceeded.EnvironmentVariables', '环境变量总大小超过 4KB。')
}

/** Throws a `Refusal` unless the package is a sound zip with the entry file the function's type needs. */
export function checkCode(wanted: StoredFunction): void {
  const files = (() => {
    try {
      return readZip(wanted.zip)
    } catch (error) {
      return refuse('InvalidParameterValue.ZipFile', `代码包无法解压: ${(error as Error).message}`)
    }
  })()
  const entry = wanted.type === 'Event' ? `${wanted.handler.split('.')[0]}.js` : 'scf_bootstrap'
  const found = files.find((file) => file.name === entry)
  if (!found) refuse('InvalidParameterValue.Code', `代码包中缺少 ${entry}。`)
  else if (wanted.type === 'HTTP' && (found.mode & 0o111) !== 0o111)
    refuse('InvalidParameterValue.Code', 'scf_bootstrap 没有执行权限。')
}
