/**
 * Runs an uploaded package the way an event function runs: unpacked, in a process of its own with that function's
 * variables and the platform's (scf-platform facts: cloud.tencent.com/document/product/583/30228), under its timeout.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Instance, startInstance } from './instance.ts'
import type { Runnable } from './runnable.ts'
import { startWebInstance, type WebInstance } from './web-instance.ts'
import { readZip } from './zip-reader.ts'

export interface Run {
  requestId: string
  /** The handler's result as JSON text, or `undefined` when it failed. */
  value?: string
  /** The platform's error object when it failed (codes of 583/42611). */
  failure?: {
    errorCode: -1
    errorMessage: string
    requestId: string
    statusCode: number
    stackTrace?: string
  }
  durationMs: number
  memoryBytes: number
  /** What the code printed, and the platform's lines around it. */
  lines: string[]
}

function platformVariables(stored: Runnable, appId: string): Record<string, string> {
  return {
    TENCENTCLOUD_RUNENV: 'SCF',
    TENCENTCLOUD_REGION: stored.region,
    TENCENTCLOUD_APPID: appId,
    TENCENTCLOUD_UIN: '100000000000',
    TENCENTCLOUD_TZ: 'UTC',
    SCF_RUNTIME: stored.runtime,
    SCF_FUNCTIONNAME: stored.name,
    SCF_FUNCTIONVERSION: stored.version,
    SCF_NAMESPACE: stored.namespace,
    USER_CODE_ROOT: '/var/user/',
  }
}

export async function createCodeRunner(appId: string) {
  const root = await mkdtemp(join(tmpdir(), 'tencent-cloud-code-'))

  const unpacked = new Map<string, Promise<string>>()
  /** By what they run. */
  const instances = new Map<string, Instance[]>()

  const unpackInto = async (folder: string, zip: Buffer): Promise<string> => {
    await mkdir(folder, { recursive: true })
    for (const { name, data, mode } of readZip(zip))
      await writeFile(join(folder, name), data, { mode: mode & 0o777 })
    return folder
  }
  const unpack = ({ running: zip }: Runnable): Promise<string> => {
    const digest = createHash('sha256').update(zip).digest('hex')
    const folder = unpacked.get(digest) ?? unpackInto(join(root, digest), zip)
    unpacked.set(digest, folder)
    return folder
  }

  const instanceFor = (codeFolder: string, env: Record<string, string>): Instance => {
    const key = JSON.stringify([codeFolder, env])
    const started = instances.get(key) ?? []
    const idle = started.find((each) => each.isIdle())
    if (idle) return idle
    const instance = startInstance(codeFolder, env)
    instances.set(key, [...started, instance])
    return instance
  }

  const webs = new Map<string, Promise<WebInstance>>()
  const webFor = async (stored: Runnable, onLine: (line: string) => void): Promise<WebInstance> => {
    const folder = await unpack(stored)
    const key = JSON.stringify([folder, stored.variables])
    const started =
      webs.get(key) ??
      startWebInstance(folder, { ...stored.variables, ...platformVariables(stored, appId) }, onLine)
    webs.set(key, started)
    return started
  }

  const invoke = async (stored: Runnable, event: unknown): Promise<Run> => {
    const requestId = randomUUID()
    const codeFolder = await unpack(stored)
    const { timeoutSeconds } = stored
    const instance = instanceFor(codeFolder, {
      ...stored.variables,
      ...platformVariables(stored, appId),
    })
    const {
      value,
      failure,
      durationMs,
      memoryBytes,
      lines: printed,
    } = await instance.run(
      {
        codeFolder,
        handler: stored.handler,
        event,
        context: {
          callbackWaitsForEmptyEventLoop: true,
          memory_limit_in_mb: stored.memorySize,
          time_limit_in_ms: timeoutSeconds * 1000,
          request_id: requestId,
          environment: JSON.stringify({ SCF_NAMESPACE: stored.namespace, ...stored.variables }),
          function_version: stored.version,
          function_name: stored.name,
          namespace: stored.namespace,
          tencentcloud_region: stored.region,
          tencentcloud_appid: appId,
          tencentcloud_uin: '100000000000',
        },
      },
      timeoutSeconds,
    )
    const lines = [`START RequestId:${requestId}`, ...printed]
    if (failure) lines.push(`ERROR RequestId:${requestId} Result:${failure.message}`)
    lines.push(`Response RequestId:${requestId} RetMsg:${JSON.stringify(value ?? '')}`)
    lines.push(`END RequestId:${requestId}`)
    lines.push(
      `Report RequestId:${requestId} Duration:${durationMs.toFixed(0)}ms Memory:${stored.memorySize}MB`,
    )
    return {
      requestId,
      durationMs,
      memoryBytes,
      lines,
      ...(value === undefined ? {} : { value }),
      ...(failure && {
        failure: {
          errorCode: -1,
          errorMessage: failure.message,
          requestId,
          statusCode: failure.status,
          ...(failure.stack === undefined ? {} : { stackTrace: failure.stack }),
        },
      }),
    }
  }

  const close = async (): Promise<void> => {
    for (const instance of [...instances.values()].flat()) instance.kill()
    for (const web of webs.values())
      await web.then(
        ({ kill }) => kill(),
        () => undefined,
      )
    await rm(root, { recursive: true, force: true })
  }
  return { invoke, webFor, close }
}
