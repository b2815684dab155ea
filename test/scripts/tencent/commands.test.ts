import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DeployScene, startDeployScene, urlsIn } from '../../support/deploy-scene.ts'

let scene: DeployScene
let urls: string[]
beforeAll(async () => {
  scene = await startDeployScene()
  urls = urlsIn(await scene.run('deploy'))
})
afterAll(async () => {
  await scene.close()
})

describe('serverless info', () => {
  test('shows status, URLs and the names of variables, never their values', async () => {
    const ran = await scene.run('info')
    expect(ran.code).toBe(0)
    expect(urlsIn(ran)).toEqual(urls)
    expect(ran.stdout).toContain('login: Active (miniscore-dev-login; event, Nodejs20.19')
    expect(ran.stdout).toContain('WECHAT_SECRET')
    for (const value of Object.values(scene.variables))
      expect(ran.stdout + ran.stderr).not.toContain(value)
  })

  test('exits 1 where nothing is deployed; --stage and --region look there and nowhere else', async () => {
    await writeFile(path.join(scene.project.folder, '.env.empty'), '')
    const ran = await scene.run('info --json --stage empty --region ap-shanghai')
    expect(ran.code).toBe(1)
    // Standard output is JSON alone.
    const { functions, faults } = JSON.parse(ran.stdout)
    expect(functions[0]).toEqual({ key: 'login', name: 'miniscore-empty-login', status: null })
    expect(faults).toContain('login is not deployed')
    expect(new Set(scene.cloud.calls.map(({ region }) => region))).toEqual(new Set(['ap-shanghai']))
  })
})

describe('serverless invoke', () => {
  test('runs the uploaded bundle, which sees its own variables alone, and prints the result', async () => {
    const ran = await scene.run(['invoke', '-f', 'login', '--data', '{"say":"a line"}', '--log'])
    expect(ran.code).toBe(0)
    const { name, event, variables } = JSON.parse(JSON.parse(ran.stdout).body)
    expect({ name, event }).toEqual({ name: 'login', event: { say: 'a line' } })
    expect(variables).toMatchObject(scene.variables)
    const own = Object.keys(variables).filter((key) => !/^(TENCENTCLOUD|SCF|USER_CODE)_/.test(key))
    expect(own.sort()).toEqual(Object.keys(scene.variables).sort())
    expect(ran.stderr).toContain('a line')
  })

  test('a throwing handler exits 1 with the error of the platform', async () => {
    const ran = await scene.run(['invoke', '-f', 'login', '--data', '{"fail":"broken"}'])
    expect(ran.code).toBe(1)
    expect(ran.stdout).toMatch(/login failed \(request .*user code exception caught/)
  })
})

describe('serverless logs', () => {
  test('--tail goes on showing new lines, each once, until it is interrupted', async () => {
    const tail = scene.project.start(
      ['logs', '-f', 'submit-score', '--tail', '-i', '100', '--stage', 'dev'],
      scene.env,
    )
    await scene.run(['invoke', '-f', 'submit-score', '--data', '{"say":"one"}'])
    await tail.printed(/ one\n/)
    await scene.run(['invoke', '-f', 'submit-score', '--data', '{"say":"two"}'])
    await tail.printed(/ two\n/)
    const ran = await tail.interrupt()
    expect(ran.stdout.match(/ one\n/g)).toHaveLength(1)
    expect(ran.stdout.match(/ two\n/g)).toHaveLength(1)
  })
})

describe('serverless remove', () => {
  test('removes nothing unless it is told to, and exits 1', async () => {
    const ran = await scene.run('remove')
    expect(ran.code).toBe(1)
    expect(ran.stdout).toContain('Nothing was removed')
    expect(scene.cloud.changes()).toEqual([])
  })

  test('--yes removes the URLs and the functions', async () => {
    const ran = await scene.run('remove --yes')
    expect(ran.code).toBe(0)
    expect(scene.cloud.functions()).toEqual([])
    expect(scene.cloud.changes()).toHaveLength(6)
  })
})

test('none of these commands spoke to any host but the cloud on loopback', () => {
  expect([...scene.contacts]).toEqual([`connect 127.0.0.1:${scene.cloud.port}`])
})
