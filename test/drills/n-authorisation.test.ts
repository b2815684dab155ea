import { afterEach, describe, expect, test } from 'vitest'
import {
  createDatabase,
  dropDatabase,
} from '../../scripts/simulators/mysql-server/private-server.ts'
import { type AuthorisationResult, runAuthorisationDrill } from '../support/authorisation-drill.ts'
import { OPERATOR_OPENID, prepareScene } from '../support/authorisation-rows.ts'
import { reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import { type DrillWorld, startDrillWorld } from '../support/drill-world.ts'
import { findEndpoints } from '../support/endpoints.ts'
import type { BrokenBuild, Patch } from '../support/patched-bundle.ts'
import { serverUrl } from '../support/server-suites.ts'

const routes = (await findEndpoints()).map(({ route }) => route)

let world: DrillWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

async function drill(
  patches: readonly Patch[] = [],
  databaseUrl?: string,
): Promise<AuthorisationResult> {
  world = await startDrillWorld({
    patches,
    environment: { OPERATORS: OPERATOR_OPENID },
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  })
  return runAuthorisationDrill(await prepareScene(world), routes)
}

describe('who may do what with whose data', () => {
  const places = [
    { on: 'sql.js', url: undefined },
    { on: 'MySQL', url: serverUrl('MySQL') },
    { on: 'MariaDB', url: serverUrl('MariaDB') },
  ].filter(({ on, url }) => on === 'sql.js' || url !== undefined)
  test.each(places)('is as the table says, in every cell, on $on', async ({ on, url }) => {
    const databaseUrl = url === undefined ? undefined : await createDatabase(url)
    const { cells, compared, wrong } = await drill([], databaseUrl)
    const figures = { cells, alike: compared, wrong: wrong.length }
    await reportDrill({ drill: 'N', on, figures, passed: wrong.length === 0 })
    expect(wrong).toEqual([])
    expect(cells).toBe(routes.length * 8 * 3)
    if (databaseUrl !== undefined) await dropDatabase(databaseUrl)
  })

  test('a route without a row is found', async () => {
    world = await startDrillWorld({ environment: { OPERATORS: OPERATOR_OPENID } })
    const { wrong } = await runAuthorisationDrill(await prepareScene(world), ['GET /new'])
    const caught = wrong.includes('GET /new: has no row')
    await reportBrokenVariant({ drill: 'N', variant: 'a row for a new route', caught })
    expect(caught).toBe(true)
  })
})

const broken: readonly BrokenBuild[] = [
  {
    name: 'the holder check',
    patches: [
      {
        file: 'shared/session/number-holding.ts',
        find: 'if (Buffer.compare(digestPhoneNumber(number, lookup), held.digest) !== 0) return undefined',
        put: '',
      },
    ],
  },
  {
    name: 'the operator check',
    patches: [
      {
        file: 'shared/authority.ts',
        find: 'operators.has(userId) || operators.has(openid)',
        put: 'operators.size > 0',
      },
    ],
  },
  {
    name: 'the author in the reading rule',
    patches: [
      {
        file: 'shared/domain/score.ts',
        find: "return { kind: 'author', userId: caller.userId }",
        put: "return { kind: 'all' }",
      },
    ],
  },
  {
    name: 'the owner of a device',
    patches: [
      {
        file: 'shared/store/sessions.ts',
        find: 'set ended_at = ? where user_id = ? and session_id = ? and ended_at is null and expires_at > ?',
        put: 'set ended_at = ? where user_id <> ? and session_id = ? and ended_at is null and expires_at > ?',
      },
    ],
  },
  {
    name: 'the end of a session',
    patches: [
      {
        file: 'shared/session/session-check.ts',
        find: 'if (!session) return undefined',
        put: `
        if (!session) return { ...claims, openid: 'oSomebody', phone: null }`,
      },
    ],
  },
  {
    name: 'the end of a token',
    patches: [
      {
        file: 'shared/session/token.ts',
        find: 'clockTolerance: clockToleranceSeconds,',
        put: 'clockTolerance: 86_400,',
      },
    ],
  },
  {
    name: 'whose the fresh login code is',
    patches: [
      {
        file: 'functions/login/fresh-login.ts',
        find: "if (user.openid !== openid) throw new Problem('fresh-login-required')",
        put: '',
      },
    ],
  },
  {
    name: 'the fresh login before a number is taken over',
    patches: [
      {
        file: 'functions/login/phone.ts',
        find: 'if (holderId !== undefined && holderId !== userId) {',
        put: 'if (holderId === userId) {',
      },
    ],
  },
  {
    name: 'the token of a route',
    patches: [
      {
        file: 'functions/query-scores/summary.ts',
        find: "auth: 'required'",
        put: "auth: 'none'",
      },
    ],
  },
]

test.each(broken)('a build without $name is found', async ({ name, patches }) => {
  const { wrong } = await drill(patches)
  await reportBrokenVariant({ drill: 'N', variant: name, caught: wrong.length > 0 })
  expect(wrong).not.toEqual([])
})
