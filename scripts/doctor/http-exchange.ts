/** One HTTP exchange under one total deadline, with what the doctor wants to know of it: headers and the certificate. */

import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import type { DeployedAnswer } from '../service/answers.ts'

/** What came back. */
export interface AnswerOfAddress extends DeployedAnswer {
  /** End of the certificate's validity in milliseconds since 1970; undefined over plain HTTP. */
  certificateEndsMs: number | undefined
}

/** No answer. `code` is Node's (`ENOTFOUND`, `CERT_HAS_EXPIRED` …), or `DEADLINE`. */
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

/** Redirects are not followed. @throws {NoAnswer} */
export async function exchange({ url, json, deadlineMs, ca }: HttpCall): Promise<AnswerOfAddress> {
  const signal = AbortSignal.timeout(deadlineMs)
  try {
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: json ? 'POST' : 'GET',
      headers: json ? { 'content-type': 'application/json' } : {},
      agent: false,
      signal,
      ...(ca === undefined ? {} : { ca }),
    })
    // What happens once headers are here shows while the body is read.
    request.on('error', () => undefined)
    request.end(json ? JSON.stringify(json) : undefined)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    // Asked for now: a socket that has ended knows it no more.
    const certificateEndsMs =
      'getPeerCertificate' in response.socket ? endOf(response.socket) : undefined
    return {
      status: response.statusCode ?? 0,
      contentType: response.headers['content-type'] ?? '',
      text: await text(response),
      certificateEndsMs,
    }
  } catch (failure) {
    const { code = 'UNKNOWN' } = failure as NodeJS.ErrnoException
    throw new NoAnswer(signal.aborted ? 'DEADLINE' : code)
  }
}

function endOf(socket: object): number | undefined {
  const endsMs = Date.parse((socket as TLSSocket).getPeerCertificate().valid_to)
  return Number.isNaN(endsMs) ? undefined : endsMs
}
