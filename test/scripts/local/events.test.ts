import { describe, expect, test } from 'vitest'
import { eventProfiles, shapeFaultOf, toAnswer, toEvent } from '../../../scripts/local/events.ts'
import { recordedEvent } from '../../support/http-events.ts'

const request = {
  method: 'POST',
  url: '/score/a?x=y&i&a=b&a=c',
  headers: {
    'content-type': 'application/json',
    'x-forwarded-for': '1.1.1.1',
    'x-scf-remote-addr': '9.9.9.9',
  },
  body: Buffer.from('{"a":"汉"}'),
  clientIp: '140.248.50.98',
}
const get = {
  method: 'GET',
  url: '/score',
  headers: { accept: '*/*' },
  body: Buffer.alloc(0),
  clientIp: '140.248.50.98',
}

describe('local events', () => {
  test.each([
    ['function-url', 'furl-request-doc.json'],
    ['function-url-documented', 'furl-request-doc.json'],
    ['function-url-observed', 'furl-request-2026-observed-CONSTRUCTED.json'],
    ['cloudbase', 'cloudbase-http-request.json'],
  ] as const)('%s has the members of the recorded event', (profile, file) => {
    expect(Object.keys(toEvent(request, profile)).sort()).toEqual(
      Object.keys(recordedEvent(file)).sort(),
    )
  })

  test('apigw has the members of the captured event, and a body', () => {
    const captured = Object.keys(recordedEvent('apigw-request-real-get.json'))
    expect(Object.keys(toEvent(get, 'apigw')).sort()).toEqual(captured.sort())
    expect(Object.keys(toEvent(request, 'apigw')).sort()).toEqual([...captured, 'body'].sort())
  })

  test('a repeated parameter is an array, one without a value is true', () => {
    expect(toEvent(request, 'apigw').queryString).toEqual({ x: 'y', i: true, a: ['b', 'c'] })
    expect(toEvent(request, 'cloudbase').queryStringParameters).toEqual({
      x: 'y',
      i: true,
      a: ['b', 'c'],
    })
  })

  test('the client stands in the forwarding chain where the platform puts it, and x-scf headers pass through', () => {
    const { headers } = toEvent(request, 'function-url') as { headers: Record<string, string> }
    expect(headers['x-forwarded-for']).toBe('1.1.1.1, 140.248.50.98, 11.163.17.81, 10.132.167.112')
    expect(headers['x-scf-remote-addr']).toBe('9.9.9.9')
  })

  test('the documented function URL names the client where a client can do so itself, and nowhere else', () => {
    const event = toEvent(request, 'function-url-documented')
    expect(event.headers).toEqual(request.headers)
    const { headers } = toEvent({ ...request, headers: {} }, 'function-url-documented')
    expect(headers).toEqual({ 'x-scf-remote-addr': '140.248.50.98' })
  })

  test('through a custom domain the host is the domain, the path arrives unchanged, the client in the chain', () => {
    expect(
      toEvent({ ...request, headers: { host: '127.0.0.1:3000' } }, 'custom-domain'),
    ).toMatchObject({
      path: '/score/a',
      headers: {
        host: 'api.example.com',
        'x-forwarded-for': '140.248.50.98, 11.163.17.81, 10.132.167.112',
      },
    })
  })

  const binary = eventProfiles.filter((profile) => profile !== 'function-url-documented')
  test.each(binary)('%s carries bytes that are no text as base64', (profile) => {
    const event = toEvent({ ...request, body: Buffer.from([0xff]) }, profile)
    expect(event).toMatchObject({ isBase64Encoded: true, body: '/w==' })
  })
})

describe('answers', () => {
  test('a reply without statusCode is 200 with its JSON', () => {
    expect(toAnswer({ a: 1 })).toMatchObject({ status: 200, body: Buffer.from('{"a":1}') })
    expect(toAnswer('text').body.toString()).toBe('"text"')
  })

  test.each([
    [undefined, 'it returned nothing'],
    [{ status: 200, body: 'x' }, 'statusCode is missing'],
    [{ statusCode: '200' }, 'not "200"'],
    [{ statusCode: 99 }, 'not 99'],
    [{ statusCode: 200, headers: { a: 1 } }, 'lists of texts: a'],
    [{ statusCode: 200, headers: [] }, 'headers should hold'],
    [{ statusCode: 200, body: { a: 1 } }, 'JSON.stringify it'],
    [{ statusCode: 200, body: '', isBase64Encoded: 'yes' }, 'isBase64Encoded'],
  ])('of the reply %j it is said what is wrong', (reply, fault) => {
    expect(shapeFaultOf(reply)).toContain(fault)
  })

  test.each([[{ a: 1 }], ['text'], [{ statusCode: 204, headers: { a: ['b'] } }]])(
    'the reply %j is right',
    (reply) => expect(shapeFaultOf(reply)).toBeUndefined(),
  )

  test('a shaped reply is taken apart, base64 decoded', () => {
    const reply = { statusCode: 201, headers: { a: 'b' }, isBase64Encoded: true, body: '/w==' }
    expect(toAnswer(reply)).toEqual({ status: 201, headers: { a: 'b' }, body: Buffer.from([0xff]) })
  })
})
