import type { AccessClaims } from '../../shared/ports.ts'
import { allowedOrigins, compresses, part } from '../../shared/wiring/compose.ts'

/** The parts every function needs, for tests of transports: nobody is logged in, nothing is limited. */
export const openAuthority = {
  tokens: part([], () => ({ verify: async () => undefined })),
  sessions: part([], () => ({
    check: async () => undefined,
    unchecked: (claims: AccessClaims) => ({ ...claims, proofHash: null }),
  })),
  operators: part([], (): ReadonlySet<string> => new Set<string>()),
  limiter: part([], () => ({ admit: async () => {} })),
  platformSessions: part([], () => ({ enter: async () => undefined })),
  pseudonyms: part([], () => ({ of: () => 'somebody' })),
  allowedOrigins,
  compresses,
}
