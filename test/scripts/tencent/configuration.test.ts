import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createServerlessProject,
  type ServerlessProject,
} from '../../support/serverless-project.ts'

describe('serverless.yml', () => {
  let project: ServerlessProject
  let shipped: string
  const write = (text: string): Promise<void> =>
    writeFile(join(project.folder, 'serverless.yml'), text)
  beforeAll(async () => {
    project = await createServerlessProject('echo')
    shipped = await readFile(join(project.folder, 'serverless.yml'), 'utf8')
  })
  afterAll(() => project.remove())

  test('a misspelt key is refused with its name, wherever it stands', async () => {
    await write(
      shipped
        .replace('  memorySize: 128', '  memroySize: 128')
        .replace('    certificateId:', '    certificateID:')
        .replace('  submit-score:\n', '  submit-score:\n    timeuot: 5\n')
        .replace('          paths: [/query', '          path: [/query'),
    )
    const ran = await project.serverless(['package', '--stage', 'dev'])
    expect(ran.code).toBe(1)
    for (const key of ['memroySize', 'certificateID', 'timeuot', 'path'])
      expect(ran.stdout).toContain(`'${key}'`)
  })

  test('an event that Tencent Cloud does not have is refused', async () => {
    await write(shipped.replace(/(submit-score:\n[\s\S]*?events:\s+- )http/, '$1htpp'))
    const ran = await project.serverless(['package', '--stage', 'dev'])
    expect(ran.code).toBe(1)
    expect(ran.stdout).toContain('submit-score')
    expect(ran.stdout).toMatch(/unsupported function event/)
  })

  test('a timer and the nested environment of the older plugin are understood', async () => {
    await write(
      shipped.replace(
        / {2}submit-score:\n[\s\S]*? {4}events:\n/,
        `  submit-score:
    environment:
      variables:
        NESTED: from-nesting
    events:
      - timer:
          name: nightly
          parameters: { cronExpression: '0 0 3 * * * *', enable: true }
`,
      ),
    )
    const ran = await project.serverless(['print', '--format', 'json'])
    expect(ran.code).toBe(0)
    const { functions } = JSON.parse(ran.stdout)
    expect(functions['submit-score'].environment.variables.NESTED).toBe('from-nesting')
    expect(functions['submit-score'].events[0].timer.name).toBe('nightly')
  })

  test('print shows which variable stands where, and no value', async () => {
    await write(shipped)
    await writeFile(join(project.folder, '.env.prod'), 'WECHAT_SECRET=canary-file\n')
    const ran = await project.serverless(['print', '--stage', 'prod'], {
      DATABASE_URL: 'https://u:canary-environment@db.example.com',
    })
    expect(ran.code).toBe(0)
    expect(ran.stdout).toContain('WECHAT_SECRET: $WECHAT_SECRET')
    expect(ran.stdout + ran.stderr).not.toContain('canary')
  })
})
