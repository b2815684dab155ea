/** One HTTP exchange under one total deadline, with what the doctor wants to know of it: headers and the certificate. */

import http from 'node:http'
import https from 'node:https'
import type { TLSSocket } from 'node:tls'

/** What came back. */
export interface AnswerOfAddress {
  status: number
  contentType: string
  text: string
  /** End of the certificate's validity in milliseconds since 1970; undefined over plain HTTP. */
  certificateEndsMs: number | undefined
}

/** No answer. `code` is Node's (`ENOTFOUND`, `CERT_HAS_EXPIRED` …), or `DEADLINE`, `TOO_LARGE`. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly code: string

  constructor(code: string) {
    super(`no answer: ${code}`)
    this.code = code
  }
}

export interface HttpCall {
  url: URL
  /** Sent as JSON by POST; GET without it. */
  json?: Record<string, unknown>
  deadlineMs: number
  /** A certificate authority (PEM) to trust in place of Node's. */
  ca?: string
}

const ANSWER_MAX_BYTES = 64 * 1024

/** Redirects are not followed. @throws {NoAnswer} */
export function exchange({ url, json, deadlineMs, ca }: HttpCall): Promise<AnswerOfAddress> {
  return new Promise((resolve, reject) => {
    const transport = url.protocol === 'https:' ? https : http
    const request = transport.request(url, {
      method: json ? 'POST' : 'GET',
      headers: json ? { 'content-type': 'application/json' } : {},
      agent: false,
      ...(ca === undefined ? {} : { ca }),
    })
    const fail = (code: string): void => {
      clearTimeout(timer)
      reject(new NoAnswer(code))
      request.destroy()
    }
    const timer = setTimeout(() => fail('DEADLINE'), deadlineMs)
    request.on('error', (failure: NodeJS.ErrnoException) => fail(failure.code ?? 'UNKNOWN'))
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      // Asked for now: a socket that has ended knows it no more.
      const certificateEndsMs =
        'getPeerCertificate' in response.socket ? endOf(response.socket) : undefined
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > ANSWER_MAX_BYTES) fail('TOO_LARGE')
        else chunks.push(chunk)
      })
      response.on('error', (failure: NodeJS.ErrnoException) => fail(failure.code ?? 'UNKNOWN'))
      response.once('end', () => {
        clearTimeout(timer)
        resolve({
          status: response.statusCode ?? 0,
          contentType: response.headers['content-type'] ?? '',
          text: Buffer.concat(chunks).toString('utf8'),
          certificateEndsMs,
        })
      })
    })
    request.end(json ? JSON.stringify(json) : undefined)
  })
}

function endOf(socket: object): number | undefined {
  const endsMs = Date.parse((socket as TLSSocket).getPeerCertificate().valid_to)
  return Number.isNaN(endsMs) ? undefined : endsMs
}

/** The answer's JSON object; undefined when it is anything else. */
export function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
