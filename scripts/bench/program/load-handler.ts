/** What the platform's own launcher does, as little as possible of it: require the bundle, make a context. */

import { createRequire } from 'node:module'
import { trustAuthority } from './trust-authority.ts'

export type Handler = (event: unknown, context: Record<string, unknown>) => Promise<Reply>

export interface Reply {
  statusCode: number
  headers?: Record<string, string>
  body: string
  isBase64Encoded?: boolean
}

/** `authorityFile` is empty where nothing beyond Node's roots is to be trusted. */
export function loadHandler(bundle: string, authorityFile = ''): Handler {
  if (authorityFile !== '') trustAuthority(authorityFile)
  const { main_handler } = createRequire(bundle)(bundle) as { main_handler: Handler }
  return main_handler
}

/** https://cloud.tencent.com/document/product/583/9210 */
export function invocationContext(): Record<string, unknown> {
  const startedAtMs = Date.now()
  return {
    callbackWaitsForEmptyEventLoop: true,
    memory_limit_in_mb: 128,
    time_limit_in_ms: 10_000,
    request_id: '5b1a5b0e-0000-4000-8000-000000000000',
    function_version: '$LATEST',
    namespace: 'default',
    getRemainingTimeInMillis: () => 10_000 - (Date.now() - startedAtMs),
  }
}
