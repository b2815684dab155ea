import { defineConfig } from 'vitest/config'
import { RATING_FORM } from '../support/forms/built-with.ts'
import { poll } from '../support/patience.ts'

/** What needs an engine that `npm run engines` compiles. */
const config = defineConfig({
  // Tests have values of their own: no .env file is read.
  envDir: false,
  test: {
    expect: { poll },
    env: { RATING_FORM },
    globalSetup: ['test/support/servers-global-setup.ts'],
    include: ['test/engines/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
})

export default config
