/**
 * Makes https of this process trust one more authority, in addition to Node's own roots.
 *
 * NODE_EXTRA_CA_CERTS and OpenSSL's store would both change what is measured: the first costs every start
 * 40 ms, the second skips the 20 ms in which Node 20 reads its own roots. Here the roots are read as in
 * production, at the first TLS context, and one certificate is added (some 1 ms, to our disadvantage).
 */

import { readFileSync } from 'node:fs'
import { createRequire, Module } from 'node:module'

type Load = (request: string, ...rest: unknown[]) => unknown
interface NativeContext {
  context: { addCACert(pem: Buffer): void }
}

const TLS_USERS = /^(node:)?(https|tls)$/

/** Nothing is loaded before the process itself asks for https or tls. */
export function trustAuthority(file: string): void {
  const loader = Module as unknown as { _load: Load }
  const load = loader._load
  loader._load = (request, ...rest) => {
    if (TLS_USERS.test(request)) {
      loader._load = load
      patchTls(file)
    }
    return load.call(loader, request, ...rest)
  }
}

function patchTls(file: string): void {
  const tls = createRequire(file)('node:tls') as typeof import('node:tls')
  const create = tls.createSecureContext
  tls.createSecureContext = (options) => {
    const secure = create(options)
    ;(secure as unknown as NativeContext).context.addCACert(readFileSync(file))
    return secure
  }
}
