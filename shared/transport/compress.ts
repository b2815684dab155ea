/**
 * Compressed answers, for clients that accept them. A Web function compresses by itself; an event
 * function only when `COMPRESS=1`, because its reply then travels as base64.
 */

import type { HttpReply } from './http-event.ts'

/** Smaller answers fit one packet as they are; every answer that carries a token is smaller. */
export const COMPRESS_MIN_BYTES = 1024
/** Brotli's default of 11 takes a hundred times as long for a few percent. */
const BROTLI_QUALITY = 5
/** Longer headers are no list of codings. */
const ACCEPT_ENCODING_MAX_LENGTH = 500

type Coding = 'br' | 'gzip'

/**
 * The reply, compressed when it is text of more than `COMPRESS_MIN_BYTES` and the client prefers that; else as it
 * was. Never throws. The body is then base64 with `isBase64Encoded`, as a function URL and API gateway take bytes:
 * https://cloud.tencent.com/document/product/583/12513
 */
export async function compressReply(
  reply: HttpReply,
  acceptEncoding: string | undefined,
): Promise<HttpReply> {
  if (reply.isBase64Encoded || reply.headers['content-encoding'] !== undefined) return reply
  if (Buffer.byteLength(reply.body) <= COMPRESS_MIN_BYTES) return reply
  const vary = [reply.headers.vary, 'accept-encoding'].filter(Boolean).join(', ')
  const plain: HttpReply = { ...reply, headers: { ...reply.headers, vary } }
  const coding = chooseCoding(acceptEncoding)
  if (coding === undefined) return plain
  const packed = await pack(Buffer.from(reply.body), coding).catch(() => undefined)
  if (!packed) return plain
  const { etag } = reply.headers
  return {
    ...plain,
    isBase64Encoded: true,
    headers: {
      ...plain.headers,
      'content-encoding': coding,
      // Other bytes than the plain answer's, with the same meaning: RFC 9110, 8.8.3.3.
      ...(etag === undefined || etag.startsWith('W/') ? {} : { etag: `W/${etag}` }),
    },
    body: packed.toString('base64'),
  }
}

/**
 * What an `accept-encoding` header prefers of br, gzip and no coding (RFC 9110, 12.5.3); br before gzip
 * when they weigh the same. What does not follow the grammar counts as not accepted.
 */
export function chooseCoding(acceptEncoding: string | undefined): Coding | undefined {
  if (acceptEncoding === undefined || acceptEncoding.length > ACCEPT_ENCODING_MAX_LENGTH)
    return undefined
  const weights = new Map<string, number>()
  for (const item of acceptEncoding.toLowerCase().split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim())
    weights.set(name, weigh(parameters))
  }
  const weightOf = (coding: string): number => weights.get(coding) ?? weights.get('*') ?? 0
  const best: Coding = weightOf('br') >= weightOf('gzip') ? 'br' : 'gzip'
  const isAccepted = weightOf(best) > 0 && weightOf(best) >= (weights.get('identity') ?? 0)
  return isAccepted ? best : undefined
}

function weigh(parameters: readonly string[]): number {
  if (parameters.length === 0) return 1
  const [, weight] = /^q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.exec(parameters.join(';')) ?? []
  return Number(weight ?? 0)
}

/** Off the main thread; zlib is loaded by the first answer that needs it. */
async function pack(bytes: Buffer, coding: Coding): Promise<Buffer> {
  const { brotliCompress, constants, gzip } = await import('node:zlib')
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, packed: Buffer): void =>
      error ? reject(error) : resolve(packed)
    if (coding === 'gzip') return gzip(bytes, done)
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    }
    brotliCompress(bytes, { params }, done)
  })
}
