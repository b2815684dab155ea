import { randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CloudClient } from '../../../scripts/tencent/cloud/client.ts'
import { deterministicZip } from '../../../scripts/tencent/zip.ts'
import {
  account,
  clientFor,
  cloudAndClient,
  codeOf,
  creation,
  zipOf,
} from '../../support/tencent-cloud/client.ts'
import { startTencentCloud, type TencentCloud } from '../../support/tencent-cloud/server.ts'
import { readZip } from '../../support/tencent-cloud/zip-reader.ts'

/** A request exactly as the SDK signed it. */
async function capture(): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const seen = new Promise<{ headers: IncomingHttpHeaders; body: string }>((resolve) =>
    server.once('request', async (incoming, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      response.end('{"Response":{"RequestId":"1"}}')
      resolve({ headers: incoming.headers, body: Buffer.concat(chunks).toString() })
    }),
  )
  const client = await clientFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await client.call('ListTriggers', { FunctionName: 'login' })
  server.closeAllConnections()
  server.close()
  return seen
}

function send(
  port: number,
  headers: IncomingHttpHeaders,
  body: string,
  path = '/',
  method = 'POST',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', method, path, headers }, (response) => {
      response.setEncoding('utf8')
      let text = ''
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

describe('signatures', () => {
  let cloud: TencentCloud
  let signed: Awaited<ReturnType<typeof capture>>
  let nowMs = Date.now()
  beforeAll(async () => {
    cloud = await startTencentCloud({ account, now: () => nowMs })
    signed = await capture()
  })
  afterAll(() => cloud.close())

  const replay = async (headers: IncomingHttpHeaders, body = signed.body): Promise<string> => {
    const { text } = await send(cloud.port, { ...signed.headers, ...headers }, body)
    return JSON.parse(text).Response.Error?.Code
  }

  test('what the SDK signed is accepted as it is', async () => {
    expect(await replay({})).toBe('ResourceNotFound.Function')
  })

  test.each([
    ['a changed body', {}, '{"FunctionName":"logix"}', 'AuthFailure.SignatureFailure'],
    [
      'another host',
      { host: 'cls.tencentcloudapi.com' },
      undefined,
      'AuthFailure.SignatureFailure',
    ],
    [
      'another content type',
      { 'content-type': 'text/plain' },
      undefined,
      'AuthFailure.SignatureFailure',
    ],
    ['no session token', { 'x-tc-token': '' }, undefined, 'AuthFailure.TokenFailure'],
    ['no signature', { authorization: 'none' }, undefined, 'AuthFailure.InvalidAuthorization'],
  ])('%s is refused', async (_what, headers, body, code) => {
    const length = body === undefined ? {} : { 'content-length': String(body.length) }
    expect(await replay({ ...headers, ...length }, body)).toBe(code)
  })

  test('a timestamp other than the signed one is refused', async () => {
    const later = String(Number(signed.headers['x-tc-timestamp']) + 1)
    expect(await replay({ 'x-tc-timestamp': later })).toBe('AuthFailure.SignatureFailure')
  })

  test('a signature older than five minutes is refused', async () => {
    nowMs += 6 * 60_000
    expect(await replay({})).toBe('AuthFailure.SignatureExpire')
    nowMs -= 6 * 60_000
  })

  test('a wrong key and an unknown key id are told apart', async () => {
    const wrongKey = await clientFor(cloud.endpoint, { secretKey: 'another' })
    const unknown = await clientFor(cloud.endpoint, { secretId: 'AKIDnobody' })
    const triggers = { FunctionName: 'login' }
    expect(await codeOf(wrongKey.call('ListTriggers', triggers))).toBe(
      'AuthFailure.SignatureFailure',
    )
    expect(await codeOf(unknown.call('ListTriggers', triggers))).toBe(
      'AuthFailure.SecretIdNotFound',
    )
  })
})

describe('parameters', () => {
  let cloud: TencentCloud
  let client: CloudClient
  beforeAll(async () => {
    ;({ cloud, client } = await cloudAndClient())
  })
  afterAll(() => cloud.close())

  const create = async (changed: object): Promise<string> => {
    const parameters = { ...(await creation('checked')), ...changed }
    return codeOf(client.call('CreateFunction', parameters))
  }

  test.each([
    ['a misspelt parameter', { MemorySise: 128 }, 'UnknownParameter'],
    [
      'a misspelt parameter deep inside',
      { Environment: { Variables: [{ Key: 'A', Valeu: '1' }] } },
      'UnknownParameter',
    ],
    ['text where a number belongs', { Timeout: '3' }, 'InvalidParameter'],
    ['an object where a list belongs', { Environment: { Variables: {} } }, 'InvalidParameter'],
    ['a missing required parameter', { FunctionName: undefined }, 'MissingParameter'],
    ['memory between the steps', { MemorySize: 200 }, 'InvalidParameterValue.MemorySize'],
    ['a name too long', { FunctionName: 'a'.repeat(61) }, 'InvalidParameterValue.FunctionName'],
    ['an unknown runtime', { Runtime: 'Nodejs99.1' }, 'InvalidParameterValue.Runtime'],
    [
      'a variable with a reserved name',
      { Environment: { Variables: [{ Key: 'SCF_X', Value: '1' }] } },
      'InvalidParameterValue.EnvironmentKey',
    ],
    [
      'more than 4 KB of variables',
      { Environment: { Variables: [{ Key: 'A', Value: 'x'.repeat(4096) }] } },
      'LimitExceeded.EnvironmentVariables',
    ],
    [
      'a package that is no zip',
      { Code: { ZipFile: 'bm8gemlw' } },
      'InvalidParameterValue.ZipFile',
    ],
    ['a handler whose file is missing', { Handler: 'main.handler' }, 'InvalidParameterValue.Code'],
    ['a Web function without scf_bootstrap', { Type: 'HTTP' }, 'InvalidParameterValue.Code'],
  ])('%s is refused', async (_what, changed, code) => {
    expect(await create(changed)).toBe(code)
  })

  test('a body over 10 MB is refused', async () => {
    const ZipFile = randomBytes(8 * 1024 * 1024).toString('base64')
    expect(await create({ Code: { ZipFile } })).toBe('RequestSizeLimitExceeded')
  })
})

test('a function in a phase refuses every change until polls have ended the phase', async () => {
  const cloud = await startTencentCloud({ account, phasePolls: 1 })
  try {
    const client = await clientFor(cloud.endpoint)
    const name = { FunctionName: 'login' }
    await client.call('CreateFunction', await creation('login'))
    const refused = 'FailedOperation.FunctionStatusError'
    expect(await codeOf(client.call('UpdateFunctionConfiguration', name))).toBe(refused)
    expect(await codeOf(client.call('DeleteFunction', name))).toBe(refused)
    expect((await client.call('GetFunction', name)).Status).toBe('Creating')
    expect((await client.call('GetFunction', name)).Status).toBe('Active')
    expect(await codeOf(client.call('CreateFunction', await creation('login')))).toBe(
      'ResourceInUse.FunctionName',
    )
    expect(await codeOf(client.call('DeleteFunction', name))).toBe('accepted')
  } finally {
    await cloud.close()
  }
})

describe('running the uploaded code', () => {
  const source = `
    exports.main_handler = async (event, context) => {
      if (event.fail) throw new Error(event.fail)
      if (event.wait) await new Promise(() => setTimeout(() => {}, 60_000))
      if (event.exit) process.exit(3)
      console.log('said', event.say)
      return event.httpMethod
        ? { statusCode: 201, headers: { 'x-name': context.function_name }, body: event.path + event.body }
        : { variables: process.env, left: context.getRemainingTimeInMillis() }
    }`
  let cloud: TencentCloud
  let client: CloudClient
  let url = ''
  beforeAll(async () => {
    ;({ cloud, client } = await cloudAndClient())
    const Environment = { Variables: [{ Key: 'OWN', Value: 'value' }] }
    await client.call('CreateFunction', { ...(await creation('login', source)), Environment })
    await client.call('GetFunction', { FunctionName: 'login' })
    const TriggerDesc =
      '{"AuthType":"NONE","NetConfig":{"EnableIntranet":false,"EnableExtranet":true}}'
    const trigger = { FunctionName: 'login', TriggerName: 'url', Type: 'http', TriggerDesc }
    const { TriggerInfo } = await client.call('CreateTrigger', trigger)
    url = JSON.parse(TriggerInfo?.TriggerDesc ?? '{}').NetConfig.ExtranetUrl
  })
  afterAll(() => cloud.close())

  const invoke = async (event: object) => {
    const ClientContext = JSON.stringify(event)
    const { Result } = await client.call('Invoke', { FunctionName: 'login', ClientContext })
    return Result
  }

  test("it sees its own variables and the platform's, and nothing of the tests'", async () => {
    const result = await invoke({})
    const { variables, left } = JSON.parse(result?.RetMsg ?? '')
    expect(variables.OWN).toBe('value')
    expect(variables.SCF_FUNCTIONNAME).toBe('login')
    expect(variables.PATH).toBeUndefined()
    expect(left).toBeGreaterThan(0)
    expect(result?.ErrMsg).toBe('')
  })

  test.each([
    [{ fail: 'broken' }, 430],
    [{ wait: true }, 433],
    [{ exit: true }, 439],
  ])('%j ends in the error of the platform', async (event, status) => {
    const result = await invoke(event)
    expect(JSON.parse(result?.ErrMsg ?? '').statusCode).toBe(status)
  })

  test('its Function URL and a custom domain reach it over HTTP', async () => {
    const { host } = new URL(url)
    const answer = await send(cloud.port, { host }, 'hello', '/login')
    expect(answer).toEqual({ status: 201, text: '/loginhello' })
    cloud.setCname('api.example.com')
    await client.call('CreateCustomDomain', {
      Domain: 'api.example.com',
      Protocol: 'HTTP',
      EndpointsConfig: [
        {
          Namespace: 'default',
          FunctionName: 'login',
          Qualifier: '$DEFAULT',
          PathMatch: '/login/*',
        },
      ],
    })
    const domain = { host: 'api.example.com' }
    expect((await send(cloud.port, domain, 'hello', '/login/x')).status).toBe(201)
    expect((await send(cloud.port, domain, 'hello', '/other')).status).toBe(404)
  })

  test('a second Function URL for the same qualifier is refused', async () => {
    const again = client.call('CreateTrigger', {
      FunctionName: 'login',
      TriggerName: 'another',
      Type: 'http',
      TriggerDesc: '{"AuthType":"NONE","NetConfig":{"EnableIntranet":false,"EnableExtranet":true}}',
    })
    expect(await codeOf(again)).toBe('ResourceInUse.Trigger')
  })
})

describe('the zip reader', () => {
  test('reads what the packager wrote, mode and all', async () => {
    const zip = await deterministicZip([
      { name: 'index.js', data: Buffer.from('1') },
      { name: 'scf_bootstrap', data: Buffer.from('2'), executable: true },
    ])
    const files = readZip(zip).map(({ name, mode, data }) => [name, mode & 0o777, String(data)])
    expect(files).toEqual([
      ['index.js', 0o644, '1'],
      ['scf_bootstrap', 0o755, '2'],
    ])
  })

  test.each([
    ['one changed byte of content', (zip: Buffer) => zip.writeUInt8(zip.readUInt8(45) ^ 1, 45)],
    ['a CRC of zero', (zip: Buffer) => zip.writeUInt32LE(0, zip.readUInt32LE(zip.length - 6) + 16)],
    ['a cut end', (zip: Buffer) => zip.fill(0, zip.length - 22)],
  ])('notices %s', async (_what, spoil) => {
    const zip = await zipOf('exports.main_handler = async () => "some text, some text"')
    expect(readZip(zip)).toHaveLength(1)
    spoil(zip)
    expect(() => readZip(zip)).toThrow()
  })
})
