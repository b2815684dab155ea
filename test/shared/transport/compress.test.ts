import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { defineEndpoint } from '../../../shared/endpoint.ts'
import {
  COMPRESS_MIN_BYTES,
  chooseCoding,
  compressReply,
} from '../../../shared/transport/compress.ts'
import type { HttpReply } from '../../../shared/transport/http-event.ts'
import { serve } from '../../../shared/transport/serve.ts'
import { openAuthority } from '../../support/open-authority.ts'

const text = JSON.stringify({ txt1: '很好，谢谢 😀'.repeat(200) })
function replyOf(body: string, headers: Record<string, string> = {}): HttpReply {
  return {
    isBase64Encoded: false,
    statusCode: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body,
  }
}

function unpack({ headers, body, isBase64Encoded }: HttpReply): string {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
  switch (headers['content-encoding']) {
    case 'br':
      return brotliDecompressSync(bytes).toString()
    case 'gzip':
      return gunzipSync(bytes).toString()
    default:
      return bytes.toString()
  }
}

describe('the coding a client gets', () => {
  test.each([
    ['gzip, deflate, br', 'br'],
    ['gzip, deflate', 'gzip'],
    ['GZIP', 'gzip'],
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br;q=0, gzip;q=0.1', 'gzip'],
    ['br ; q=0.001', 'br'],
    ['*', 'br'],
    ['*;q=0.5, br;q=0', 'gzip'],
    ['gzip;q=0.5, identity;q=0.5', 'gzip'],
    ['identity;q=0, gzip', 'gzip'],
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['deflate, compress, zstd', undefined],
    ['gzip;q=0', undefined],
    ['br;q=0.000, gzip;q=0', undefined],
    ['*;q=0', undefined],
    ['gzip;q=0.2, identity', undefined],
    ['gzip;q=2, br;q=-1', undefined],
    ['gzip;q=0.1234', undefined],
    ['gzip;q=NaN', undefined],
    ['gzip;level=9', undefined],
    ['gzipx', undefined],
    [`gzip${',x'.repeat(300)}`, undefined],
  ])('%s: %s', (acceptEncoding, coding) => {
    expect(chooseCoding(acceptEncoding)).toBe(coding)
  })
})

describe('an answer', () => {
  test.each(['br', 'gzip'])('packed with %s unpacks to the same text', async (coding) => {
    const packed = await compressReply(replyOf(text), coding)
    expect(packed).toMatchObject({ isBase64Encoded: true, statusCode: 200 })
    expect(packed.headers).toMatchObject({ 'content-encoding': coding, vary: 'accept-encoding' })
    expect(packed.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(packed.body.length).toBeLessThan(text.length / 3)
    expect(unpack(packed)).toBe(text)
  })

  test('of the limit or less stays as it was, to the byte', async () => {
    const small = replyOf('é'.repeat(COMPRESS_MIN_BYTES / 2), { etag: '"a"' })
    expect(await compressReply(small, 'gzip, br')).toEqual(small)
    const larger = await compressReply(replyOf(`${small.body}x`), 'gzip')
    expect(larger.headers['content-encoding']).toBe('gzip')
  })

  test('without a body, or packed before, stays as it was', async () => {
    const packed = await compressReply(replyOf(text), 'br')
    for (const reply of [{ ...replyOf(''), statusCode: 304 }, packed, { ...packed, body: text }]) {
      expect(await compressReply(reply, 'gzip')).toEqual(reply)
    }
  })

  test('that could have been packed says so to caches, also when it was not', async () => {
    const plain = await compressReply(replyOf(text, { vary: 'origin', etag: '"a"' }), undefined)
    expect(plain.headers).toMatchObject({ vary: 'origin, accept-encoding', etag: '"a"' })
    expect(plain).toMatchObject({ isBase64Encoded: false, body: text })
    const packed = await compressReply(replyOf(text, { vary: 'origin', etag: '"a"' }), 'br')
    expect(packed.headers).toMatchObject({ vary: 'origin, accept-encoding', etag: 'W/"a"' })
  })
})

describe('an event function', () => {
  const long = defineEndpoint()({
    route: 'GET /long',
    auth: 'none',
    input: v.object({}),
    output: v.object({ txt1: v.string() }),
    handle: async () => ({
      output: JSON.parse(text) as { txt1: string },
      cache: { maxAgeSeconds: 60, etag: '"a"' },
    }),
  })
  const handlerWith = (env: Record<string, string>) =>
    serve({
      functionName: 'long',
      parts: openAuthority,
      endpoints: [long],
      env,
      log: { write: () => {} },
    }).http
  const event = (headers: Record<string, string>) => ({ httpMethod: 'GET', path: '/long', headers })

  test('does not compress unless it is told to', async () => {
    for (const env of [{}, { COMPRESS: '' }, { COMPRESS: '0' }] as Record<string, string>[]) {
      const reply = await handlerWith(env)(event({ 'accept-encoding': 'gzip, br' }))
      expect(reply).toMatchObject({ isBase64Encoded: false, body: text })
      expect(reply.headers).not.toHaveProperty('vary')
    }
  })

  test('told to, answers in base64 what the client accepts, whatever the case of the header', async () => {
    const reply = await handlerWith({ COMPRESS: '1' })(event({ 'Accept-Encoding': 'gzip' }))
    expect(reply.isBase64Encoded).toBe(true)
    expect(unpack(reply)).toBe(text)
    expect((await handlerWith({ COMPRESS: '1' })(event({}))).body).toBe(text)
  })

  test('knows the packed answer again', async () => {
    const handler = handlerWith({ COMPRESS: '1' })
    const { etag } = (await handler(event({ 'accept-encoding': 'br' }))).headers
    expect(etag).toBe('W/"a"')
    const again = event({ 'accept-encoding': 'br', 'if-none-match': etag ?? '' })
    expect(await handler(again)).toMatchObject({ statusCode: 304, body: '' })
  })

  test('with a COMPRESS that means nothing says that it is misconfigured', async () => {
    const reply = await handlerWith({ COMPRESS: 'yes' })(event({}))
    expect(JSON.parse(reply.body)).toMatchObject({ status: 500, code: 'misconfigured' })
  })

  test('survives what is no HTTP event', async () => {
    for (const stray of [undefined, null, {}, { httpMethod: 1 }]) {
      expect((await handlerWith({ COMPRESS: '1' })(stray)).statusCode).toBe(404)
    }
  })
})
