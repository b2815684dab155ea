/** What the platform gives a function, and says about it: variables, context, limits, errors, and its own lines in the log. */

import path from 'node:path'

/** https://cloud.tencent.com/document/product/583/11637: the event and the result of an invocation, as JSON. */
export const PAYLOAD_MAX_BYTES = 6 * 1024 * 1024
/** The same page: how long an instance may take to start, by default. */
export const INIT_TIMEOUT_MS = 65_000
/** MB, where serverless.yml says nothing. */
export const MEMORY_DEFAULT = 128

export interface PlatformFunction {
  name: string
  /** The bundle, `…/index.js`. */
  file: string
  timeoutMs: number
  memoryMegabytes?: number | undefined
}

/** What the platform answers in place of a result. https://cloud.tencent.com/document/product/583/42611 */
export interface PlatformError {
  errorCode: -1
  errorMessage: string
  requestId: string
  stackTrace?: string
  statusCode: PlatformStatus
}

/**
 * 406 event too large, 407 result too large, 430 the code threw, 433 timed out, 434 out of memory, 437 no handler,
 * 439 the process ended, 446 no server on the port, 450 did not start in time.
 */
export type PlatformStatus = 406 | 407 | 430 | 433 | 434 | 437 | 439 | 446 | 450

/**
 * The variables the platform sets by itself (https://cloud.tencent.com/document/product/583/30228), beside those of a role:
 * TENCENTCLOUD_SECRETID, _SECRETKEY and _SESSIONTOKEN are there only for a function that has one.
 */
export function platformEnvironment({ name, file }: PlatformFunction): Record<string, string> {
  const folder = path.dirname(file)
  return {
    TENCENTCLOUD_RUNENV: 'SCF',
    TENCENTCLOUD_REGION: 'ap-guangzhou',
    TENCENTCLOUD_APPID: '1250000000',
    TENCENTCLOUD_UIN: '100000000000',
    TENCENTCLOUD_TZ: 'UTC',
    // The platform's clock is UTC without it; this machine's may not be.
    TZ: 'UTC',
    SCF_RUNTIME: 'Nodejs20.19',
    SCF_FUNCTIONNAME: name,
    SCF_FUNCTIONVERSION: '$LATEST',
    SCF_NAMESPACE: 'default',
    _SCF_SERVER_PORT: '28902',
    USER_CODE_ROOT: `${folder}/`,
    NODE_PATH: [folder, `${folder}/node_modules`, '/opt', '/opt/node_modules'].join(path.delimiter),
    PWD: folder,
    HOME: '/home/qcloud',
    USER: 'qcloud',
    LOGNAME: 'qcloud',
    LANG: 'en_US.UTF8',
    LC_ALL: 'en_US.UTF8',
    SHELL: '/bin/bash',
    PATH: process.env.PATH ?? '',
  }
}

/** `written` is what the platform adds for this invocation. https://cloud.tencent.com/document/product/583/9210 */
export function platformContext(
  { name, timeoutMs, memoryMegabytes = MEMORY_DEFAULT }: PlatformFunction,
  requestId: string,
  written: Record<string, string>,
): Record<string, unknown> {
  return {
    memory_limit_in_mb: memoryMegabytes,
    time_limit_in_ms: timeoutMs,
    request_id: requestId,
    environment: JSON.stringify({ SCF_NAMESPACE: 'default', ...written }),
    environ: 'SCF_NAMESPACE=default',
    function_version: '$LATEST',
    function_name: name,
    namespace: 'default',
    tencentcloud_region: 'ap-guangzhou',
    tencentcloud_appid: '1250000000',
    tencentcloud_uin: '100000000000',
  }
}

/** Options of Node for a function's process: as much heap as it has memory, and any port for whoever asks where it is stuck. */
export function nodeOptions({
  memoryMegabytes = MEMORY_DEFAULT,
  execArgv = [],
}: {
  memoryMegabytes?: number | undefined
  execArgv?: readonly string[]
}): string[] {
  return [`--max-old-space-size=${memoryMegabytes}`, '--inspect-port=0', ...execArgv]
}

/** How an instance came up, for the log. */
export interface ColdStart {
  /** From the start of the process until it began to load the bundle. */
  runtimeMs: number
  /** The loading of the bundle. */
  functionMs: number
  memoryBytes: number
}

/** The line of an instance's first invocation; locally there is no code to fetch. https://cloud.tencent.com/document/product/583/52637 */
export function initReport(
  requestId: string,
  { runtimeMs, functionMs, memoryBytes }: ColdStart,
  memoryMegabytes: number,
): string {
  const [runtime, loading] = [Math.round(runtimeMs), Math.round(functionMs)]
  const parts = `PullCode: 0ms InitRuntime: ${runtime}ms InitFunction: ${loading}ms`
  const memory = `Memory: ${memoryMegabytes}MB MemUsage: ${megabytes(memoryBytes)}MB`
  return `Init Report RequestId: ${requestId} Coldstart: ${runtime + loading}ms (${parts}) ${memory}`
}

/**
 * The lines the platform itself writes behind the function's own, the return value of an event function among them: what
 * stands there stands in the deployed function's log. https://cloud.tencent.com/document/product/583/52637
 */
export function endLines(invocation: {
  requestId: string
  answer: unknown
  isFailed: boolean
  durationMs: number
  memoryBytes: number
  memoryMegabytes: number
}): string[] {
  const { requestId, isFailed, durationMs, memoryBytes, memoryMegabytes } = invocation
  const answer = JSON.stringify(invocation.answer)
  return [
    ...(isFailed ? [`ERROR RequestId:${requestId} Result:${answer}`] : []),
    `Response RequestId:${requestId} RetMsg:${JSON.stringify(answer)}`,
    `END RequestId:${requestId}`,
    `Report RequestId:${requestId} Duration:${durationMs}ms Memory:${memoryMegabytes}MB MemUsage:${megabytes(memoryBytes)}MB`,
  ]
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(2)
}
