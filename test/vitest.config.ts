import { defineConfig } from 'vitest/config'

const config = defineConfig({
  test: {
    globalSetup: ['test/support/mariadb-global-setup.ts'],
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})

export default config
