import { defineConfig } from 'vitest/config'
import { RATING_FORM } from '../support/forms/built-with.ts'

/** `npm run test:browser`: needs Chromium, and the time to start it. */
const config = defineConfig({
  test: {
    env: { RATING_FORM },
    include: ['test/browser/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

export default config
