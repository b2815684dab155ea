import { get } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { storedIn } from '../../support/command-scene.ts'
import { type DeployScene, startDeployScene, urlsIn } from '../../support/deploy-scene.ts'

const keys = ['login', 'submit-score', 'query-scores']
const domain = {
  CUSTOM_DOMAIN: 'api.example.com',
  CUSTOM_DOMAIN_CERTIFICATE_ID: 'certificate-1',
}

let scene: DeployScene
let urls: string[]
beforeAll(async () => {
  scene = await startDeployScene()
})
afterAll(async () => {
  await scene.close()
})

/** Which echo function answers at this host and path. */
function answering(host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = scene.cloud
    get({ port, host: '127.0.0.1', path, headers: { host } }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk
      })
      response.on('end', () => resolve(`${JSON.parse(text).name} ${JSON.parse(text).event.path}`))
    }).on('error', reject)
  })
}

test('--dry-run --check tells the plan, changes nothing, and exits 2', async () => {
  const ran = await scene.run('deploy --dry-run --check')
  expect(ran.code).toBe(2)
  for (const key of keys)
    expect(ran.stdout).toContain(
      `${key}: create the function; publish and test a version, then give it to users; create the Function URL`,
    )
  expect(scene.cloud.changes()).toEqual([])
})

test('without credentials it says which are missing, calls nobody, and exits 1', async () => {
  const none = { TENCENTCLOUD_SECRET_ID: '', TENCENTCLOUD_SECRET_KEY: '' }
  const ran = await scene.run('deploy', none)
  expect(ran.code).toBe(1)
  expect(ran.stdout).toContain('TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY are not set')
  expect(ran.contacts).toEqual([])
})

test('with a wrong key it shows the error, the RequestId and what to do, and exits 1', async () => {
  const ran = await scene.run('deploy', { TENCENTCLOUD_SECRET_KEY: 'another-key' })
  expect(ran.code).toBe(1)
  expect(ran.stdout).toMatch(
    /GetFunction failed with AuthFailure\.SignatureFailure: .+ \(RequestId [0-9a-f-]{36}\)\. Check TENCENTCLOUD_SECRET_ID/,
  )
  expect(ran.stdout + ran.stderr).not.toContain('another-key')
})

test('with unsound values nothing is sent, and everything wrong is listed', async () => {
  const ran = await scene.run('deploy', { TOKEN_KEYS: 'k1:c2hvcnQ', WECHAT_SECRET: '' })
  expect(ran.code).toBe(1)
  expect(ran.stdout).toContain('login: WECHAT_SECRET is not set')
  expect(ran.stdout).toContain(`${keys.join(', ')}: TOKEN_KEYS holds a key of 5 bytes`)
  expect(ran.stdout).not.toContain('c2hvcnQ')
  expect(ran.contacts).toEqual([])
})

test('a call refused in the middle is told with its function, exits 1, and gives users nothing', async () => {
  scene.cloud.failNext('CreateFunction', {
    functionName: 'miniscore-dev-submit-score',
    code: 'LimitExceeded.Function',
    message: '函数数量超出限制',
  })
  const ran = await scene.run('deploy')
  expect(ran.code).toBe(1)
  expect(ran.stdout).toMatch(
    /submit-score: CreateFunction failed with LimitExceeded\.Function: 函数数量超出限制 \(RequestId [0-9a-f-]{36}\)\. A quota/,
  )
  const names = scene.cloud.functions().map(({ name }) => name)
  expect(names.sort()).toEqual(['miniscore-dev-login', 'miniscore-dev-query-scores'])
  expect(ran.stderr).toContain('login: waiting, it is Creating')
})

test('the second run completes it, and prints three URLs', async () => {
  expect(scene.cloud.functions().flatMap(({ triggers }) => triggers)).toEqual([])
  const ran = await scene.run('deploy')
  expect(ran.code).toBe(0)
  const named = keys.map((key) => `miniscore-dev-${key}`)
  expect(scene.cloud.changes().slice(0, 2)).toEqual([
    'CreateFunction miniscore-dev-submit-score',
    'PublishVersion miniscore-dev-submit-score',
  ])
  const rest = named.flatMap((name) => [`UpdateAlias ${name}`, `CreateTrigger ${name}`])
  expect(scene.cloud.changes().slice(2).sort()).toEqual(rest.sort())
  urls = urlsIn(ran)
  expect(new Set(urls).size).toBe(3)
})

test('only the variables declared for a function reach it', () => {
  const namesOf = (key: string): string[] => Object.keys(storedIn(scene.cloud, key).variables)
  for (const key of ['submit-score', 'query-scores']) {
    expect(namesOf(key)).toEqual(expect.arrayContaining(['DATABASE_URL', 'TOKEN_KEYS']))
    for (const secret of ['WECHAT_SECRET', 'SEALING_KEYS', 'PATH'])
      expect(namesOf(key)).not.toContain(secret)
  }
  expect(namesOf('login').sort()).toEqual(Object.keys(scene.variables).sort())
  expect(storedIn(scene.cloud, 'login').timeoutSeconds).toBe(10)
})

test('each URL reaches the code that was packaged for it', async () => {
  for (const [index, key] of keys.entries())
    expect(await answering(new URL(urls[index] ?? '').host, '/path')).toBe(`${key} /path`)
})

test('another deploy changes nothing and prints the same URLs', async () => {
  const ran = await scene.run('deploy')
  expect(ran.code).toBe(0)
  expect(ran.stdout).toContain('Nothing had to be changed.')
  expect(urlsIn(ran)).toEqual(urls)
  expect(scene.cloud.changes()).toEqual([])
})

test('one changed function is one update, and no URL changes', async () => {
  const source = `
    export const main_handler = async ({ path }: { path: string }) =>
      path === '/score'
        ? { statusCode: 200, body: '{"name":"second","event":{"path":"/score"}}' }
        : { statusCode: 404, headers: { 'content-type': 'application/problem+json' }, body: '{"code":"not-found"}' }
  `
  await scene.project.writeFunction('submit-score', source)
  const ran = await scene.run('deploy')
  expect(ran.code).toBe(0)
  expect(scene.cloud.changes()).toEqual([
    'UpdateFunctionCode miniscore-dev-submit-score',
    'PublishVersion miniscore-dev-submit-score',
    'UpdateAlias miniscore-dev-submit-score',
  ])
  expect(urlsIn(ran)).toEqual(urls)
})

test('one changed value is one update that names the variable and shows no value', async () => {
  const secret = 'f'.repeat(32)
  const ran = await scene.run('deploy', { WECHAT_SECRET: secret })
  expect(ran.code).toBe(0)
  expect(scene.cloud.changes()).toEqual([
    'UpdateFunctionConfiguration miniscore-dev-login',
    'PublishVersion miniscore-dev-login',
    'UpdateAlias miniscore-dev-login',
  ])
  expect(ran.stdout).toContain('login: variable WECHAT_SECRET changed')
  expect(storedIn(scene.cloud, 'login').variables.WECHAT_SECRET).toBe(secret)
  for (const value of [secret, ...Object.values(scene.variables)])
    expect(ran.stdout + ran.stderr).not.toContain(value)
})

test('--function touches that function alone', async () => {
  await scene.project.editConfiguration('memorySize: 128', 'memorySize: 256')
  const ran = await scene.run('deploy --function query-scores')
  expect(ran.code).toBe(0)
  const touched = new Set(scene.cloud.calls.map(({ functionName }) => functionName))
  expect(touched).toEqual(new Set(['miniscore-dev-query-scores']))
  expect(storedIn(scene.cloud, 'query-scores').memorySize).toBe(256)
  expect(storedIn(scene.cloud, 'submit-score').memorySize).toBe(128)
})

test('one domain leads each path to its function', async () => {
  scene.cloud.setCname('api.example.com')
  const ran = await scene.run('deploy', domain)
  expect(ran.code).toBe(0)
  expect(ran.stdout).toContain('/score → miniscore-dev-submit-score')
  expect(await answering('api.example.com', '/login')).toBe('login /login')
  expect(await answering('api.example.com', '/login/devices/1')).toBe('login /login/devices/1')
  expect(await answering('api.example.com', '/logout')).toBe('login /logout')
  expect(await answering('api.example.com', '/score')).toBe('second /score')
  expect(await answering('api.example.com', '/query')).toBe('query-scores /query')
  expect(await answering('api.example.com', '/query/summary')).toBe('query-scores /query/summary')
  expect(await answering('api.example.com', '/form')).toBe('query-scores /form')
})

test('remove takes the domain with its routes away too', async () => {
  const ran = await scene.run('remove --yes', domain)
  expect(ran.code).toBe(0)
  expect(scene.cloud.domains()).toEqual([])
  expect(scene.cloud.functions()).toEqual([])
})

test('no process spoke to any host but the cloud on loopback', () => {
  expect([...scene.contacts]).toEqual([`connect 127.0.0.1:${scene.cloud.port}`])
})
