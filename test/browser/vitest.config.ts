import { defineConfig } from 'vitest/config'

/** `npm run test:browser`: needs Chromium, and the time to start it. */
const config = defineConfig({
  test: { include: ['test/browser/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
})

export default config
