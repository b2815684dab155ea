/** The parts every function needs, for tests of transports: nobody is logged in, nothing is limited. */
export const openAuthority = {
  tokens: () => ({ verify: async () => undefined }),
  sessions: () => ({ check: async () => undefined }),
  operators: (): ReadonlySet<string> => new Set<string>(),
  limiter: () => ({ admit: async () => {} }),
  platformSessions: () => ({ enter: async () => undefined }),
}
