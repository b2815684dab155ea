import { defineConfig } from 'vitest/config'
import { commandSuites } from './support/command-suites.ts'
import config from './vitest.config.ts'

/** `npm run test:commands`. */
const ofCommands = defineConfig({
  ...config,
  test: { ...config.test, include: [...commandSuites], exclude: [], testTimeout: 120_000 },
})

export default ofCommands
