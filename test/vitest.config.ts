import { defineConfig } from 'vitest/config'
import { commandSuites } from './support/command-suites.ts'
import { RATING_FORM } from './support/forms/built-with.ts'
import { sameForm } from './support/forms/same-form.ts'
import { poll } from './support/patience.ts'

const config = defineConfig({
  plugins: [sameForm],
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
    // Longer than a test run should take: npm run test:commands, test:server, test:browser, drills and, with Go, engines.
    exclude: [
      ...commandSuites,
      'test/browser/**',
      'test/drills/**',
      'test/engines/**',
      'test/server/**',
    ],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of the time goes into waiting for child processes.
    maxWorkers: 3,
  },
})

export default config
