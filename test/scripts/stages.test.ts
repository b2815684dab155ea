/**
 * A checkout that holds a whole deployment's values, in files and in the environment: what works on this machine leaves
 * that deployment alone, and what works on a deployment says on which.
 */

import { cp, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { rating } from '../support/ratings.ts'
import { anyServerUrl } from '../support/server-suites.ts'
import {
  createServerlessProject,
  type Ran,
  type ServerlessProject,
  soundVariables,
} from '../support/serverless-project.ts'

// Addresses of documentation (RFC 5737): nobody is there, and whoever turns to them is noticed.
const deployedHost = /198\.51\.100\./
function deployment(host: number): Record<string, string> {
  return {
    ...soundVariables(),
    DATABASE_URL: `mysql://canary-user:canary-password@198.51.100.${host}:3306/miniscore`,
    WECHAT_API_URL: `https://198.51.100.${host}`,
    OPERATORS: 'oDeployedOperator',
    VITE_CANARY: 'canary',
  }
}
const environment = deployment(1)

let project: ServerlessProject
function write(file: string, values: Record<string, string>): Promise<void> {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`)
  return writeFile(path.join(project.folder, file), lines.join(''))
}

beforeAll(async () => {
  project = await createServerlessProject('real')
  await write('.env', deployment(2))
  await write('.env.prod', deployment(3))
  await write('.env.local', deployment(4))
})
afterAll(() => project.remove())

function expectLocal({ contacts, stdout, stderr }: Ran): void {
  expect(contacts.filter((contact) => !/ (127\.0\.0\.1|localhost)\b/.test(contact))).toEqual([])
  expect(stdout + stderr).not.toMatch(/canary/)
}

describe('on a checkout with .env, .env.prod and DATABASE_URL of a deployment', () => {
  test('npm run dev migrates and rates in its own database', async () => {
    const dev = project.start(['offline'], { ...environment, PORT: '0', WECHAT_PORT: '0' })
    const [, wechat = ''] = await dev.printed(/^ready .*WeChat\s+(http:\S+)/m)
    const [, gateway = ''] = await dev.printed(/^ready .*gateway\s+(http:\S+)/m)
    const post = async (url: string, body: unknown, headers = {}) => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
      return (await fetch(url, { ...init, body: JSON.stringify(body) })).json()
    }
    const { code } = (await post(`${wechat}/sim/codes`, {})) as { code: string }
    const { token } = (await post(`${gateway}/login`, { code })) as { token: string }
    const authorization = { authorization: `JWT ${token}` }
    expect(await post(`${gateway}/score`, rating(), authorization)).toMatchObject({
      message: '数据提交成功',
    })

    // Beside it, commands of stage local find what it stored.
    const args = ['fold', '--stage', 'local']
    const counts = await project.script('counts.ts', args, environment)
    expect(counts.stdout).toContain('fold: 1 accounts')
    expect(counts.stderr).toContain('of the running npm run dev')
    expectLocal(counts)

    const ran = await dev.interrupt()
    expect(ran.stderr).toMatch(
      /^stage local · database \S*dev\.sqlite \(its own; DATABASE_URL of the environment is not used\)/,
    )
    expectLocal(ran)
  }, 60_000)

  const form = { httpMethod: 'GET', path: '/form', headers: {}, queryString: {} }

  test('serverless invoke local and npm run invoke stay on this machine', async () => {
    const event = path.join(project.folder, 'event.json')
    await writeFile(event, JSON.stringify(form))
    const data = ['--data', JSON.stringify(form)]
    const long = await project.serverless(
      ['invoke', 'local', '-f', 'query-scores', ...data],
      environment,
    )
    const short = await project.script('invoke.ts', ['query-scores', event], environment)
    for (const ran of [long, short]) {
      expect(ran.code).toBe(0)
      expect(JSON.parse(ran.stdout)).toMatchObject({ statusCode: 200 })
      expect(ran.stderr).toMatch(/^stage local · database /)
      expectLocal(ran)
    }
  })

  test('npm test has a database of its own, and no value of a file', async () => {
    for (const file of ['test/support', 'test/events', 'test/vitest.config.ts']) {
      await cp(path.join(projectFolder, file), path.join(project.folder, file), { recursive: true })
    }
    await writeFile(
      path.join(project.folder, 'test/own.test.ts'),
      `import { expect, test } from 'vitest'
import { startWorld } from './support/world.ts'
test('a person logs in', async () => {
  expect(process.env.VITE_CANARY ?? 'not read').toBe('not read')
  const world = await startWorld()
  await world.logIn()
  await world.close()
})
`,
    )
    const { VITE_CANARY: _, ...rest } = environment
    const args = ['run', '--config', 'test/vitest.config.ts', '--root', '.']
    const borrowed: Record<string, string> = anyServerUrl ? { TEST_DATABASE_URL: anyServerUrl } : {}
    const ran = await project.program('vitest/vitest.mjs', args, { ...rest, ...borrowed })
    expect(ran.stdout + ran.stderr).toContain('1 passed')
    expect(ran.code).toBe(0)
    expectLocal(ran)
  })
})

describe('a command on a deployment', () => {
  test.each([
    ['migrate.ts', []],
    ['counts.ts', ['fold']],
    ['retention.ts', ['--older-than', '1d']],
    ['doctor.ts', []],
    ['build.ts', []],
  ])('%s asks for the stage, and does nothing without', async (name, args) => {
    const ran = await project.script(name, args, environment)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('Which stage? There is .env.dev (--stage dev), .env.prod')
    expect(ran.stdout).toBe('')
    expect(ran.contacts).toEqual([])
  })

  test.each([
    'deploy',
    'deploy function -f login',
    'package',
    'info',
    'invoke -f login',
    'logs -f login',
    'rollback',
    'remove --yes',
  ])('serverless %s asks for the stage, and does nothing without', async (command) => {
    const ran = await project.serverless(command.split(' '), environment)
    expect(ran.code).toBe(1)
    expect(ran.stdout).toContain('Which stage? There is .env.dev (--stage dev), .env.prod')
    expect(ran.contacts).toEqual([])
  })

  test('a stage without its file is refused, not taken from another', async () => {
    const ran = await project.serverless(['deploy', '--stage', 'absent'], environment)
    expect(ran.code).toBe(1)
    expect(ran.stdout).toContain('There is no .env.absent beside serverless.yml')
    expect(ran.contacts).toEqual([])
  })

  test('migrates the database of the stage, and no other', async () => {
    const file = path.join(project.folder, 'shop.sqlite')
    await write('.env.shop', { DATABASE_URL: `sqlite:${file}` })
    const ran = await project.script('migrate.ts', ['--stage', 'shop'], environment)
    expect(ran.code).toBe(0)
    expect(ran.stderr).toMatch(
      /^stage shop · database shop\.sqlite \(\.env\.shop; of DATABASE_URL the file’s value is taken/,
    )
    expect((await readFile(file)).length).toBeGreaterThan(0)
    expectLocal(ran)
  })

  test('a database of a stage that is not there is named, with the doctor to ask', async () => {
    await write('.env.down', { DATABASE_URL: 'mysql://u:canary@127.0.0.1:1/x' })
    const ran = await project.script('counts.ts', ['verify', '--stage', 'down'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('stage down · database 127.0.0.1:1 (.env.down)')
    expect(ran.stderr).toContain('npm run doctor -- --stage down looks closer')
    expectLocal(ran)
  })

  test('builds the bundles that the stage’s database needs', async () => {
    const [prod, local] = await Promise.all(
      ['prod', 'local'].map((stage) =>
        project.script('build.ts', ['--stage', stage, '--outdir', `dist-${stage}`], environment),
      ),
    )
    expect(prod?.stdout).toContain('store door: mysql')
    expect(local?.stdout).toContain('store door: planetscale')
  })

  test('deploys the values of the stage’s file, whatever the environment says, letter for letter', async () => {
    const { VITE_CANARY: _, ...values } = deployment(3)
    await write('.env.prod', { ...values, LIMITS: 'off', OPERATORS: 'o$LIMITS', SCF_ROLE: 'role' })
    const ran = await project.serverless(['deploy', '--stage', 'prod', '--dry-run'], environment)
    // It ends where the account's keys are missing; nothing was sent.
    expect(ran.stderr).toMatch(
      /^stage prod · database 198\.51\.100\.3:3306 \(\.env\.prod; of .*the file’s/,
    )
    expect(ran.contacts).toEqual([])
  })
})

test('the recorder that all this rests on would notice the deployment', async () => {
  await writeFile(
    path.join(project.folder, 'scripts/reach.ts'),
    "import { connect } from 'node:net'\nconnect(3306, '198.51.100.9')\nprocess.exit()\n",
  )
  const { contacts } = await project.script('reach.ts', [])
  expect(contacts.join()).toMatch(deployedHost)
})
