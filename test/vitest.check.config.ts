import { defineConfig } from 'vitest/config'
import { RATING_FORM } from './support/forms/built-with.ts'
import { sameForm } from './support/forms/same-form.ts'
import { poll } from './support/patience.ts'

/** The tests of `npm run check`: those that start no process, no server and no database. */
const config = defineConfig({
  plugins: [sameForm],
  // Tests have values of their own: no .env file is read.
  envDir: false,
  test: {
    expect: { poll },
    env: { RATING_FORM },
    include: [
      'test/{layers,docs}.test.ts',
      'test/shared/*.test.ts',
      'test/shared/{domain,session,transport,wechat}/**/*.test.ts',
      'test/shared/store/{mysql-url,planetscale-answer}.test.ts',
      'test/scripts/local/events.test.ts',
      'test/scripts/openapi/document.test.ts',
      'test/scripts/tencent/preflight.test.ts',
    ],
    exclude: [
      'test/shared/session/session-age.test.ts',
      // These run built bundles, or a database.
      'test/shared/session/refresh-race.test.ts',
      'test/shared/transport/call-function.test.ts',
      'test/shared/transport/server/{web,web-limits,all-functions}.test.ts',
      // Twenty thousand forgeries take their time.
      'test/shared/wechat/user-data-forgery.test.ts',
    ],
  },
})

export default config
