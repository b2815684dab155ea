import { defineConfig } from 'vitest/config'
import { RATING_FORM } from '../support/forms/built-with.ts'
import { poll } from '../support/patience.ts'
import { engineSuites } from './suites.ts'

/** The suites of `npm run engines`, on all engines it has. */
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
    include: engineSuites.flatMap(({ files }) => files),
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
})

export default config
