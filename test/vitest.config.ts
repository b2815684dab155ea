import { defineConfig } from 'vitest/config'
import { RATING_FORM } from './support/forms/built-with.ts'
import { poll } from './support/patience.ts'

const config = defineConfig({
  // Tests have values of their own: no .env file is read.
  envDir: false,
  test: {
    expect: { poll },
    env: { RATING_FORM },
    globalSetup: [
      'test/support/servers-global-setup.ts',
      'test/support/description-global-setup.ts',
    ],
    include: ['test/**/*.test.ts'],
    // Longer than a test run should take, or with a browser: npm run drills, test:browser, test:server.
    exclude: ['test/drills/**', 'test/browser/**', 'test/server/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Most of the time goes into waiting for child processes.
    maxWorkers: 3,
  },
})

export default config
