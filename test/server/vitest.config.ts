import { defineConfig } from 'vitest/config'
import { RATING_FORM } from '../support/forms/built-with.ts'
import { poll } from '../support/patience.ts'

/** What scripts/server holds, as far as it goes without Docker: minutes, and a download of Debian. */
const config = defineConfig({
  // Tests have values of their own: no .env file is read.
  envDir: false,
  test: {
    expect: { poll },
    env: { RATING_FORM },
    globalSetup: ['test/support/servers-global-setup.ts'],
    include: ['test/server/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 900_000,
    maxWorkers: 1,
  },
})

export default config
