import { readdirSync, readFileSync } from 'node:fs'
import type { HttpReply } from '../../shared/transport/http-event.ts'
import type { MainHandler } from '../../shared/transport/invocation.ts'

const folder = new URL('../events/', import.meta.url)

/** Recorded platform events by file name; each file's source page is named in test/events/README.md. */
export const recordedEvents: ReadonlyMap<string, unknown> = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as unknown]),
)

/** A recorded event, to be changed at will. */
export function recordedEvent(name: string): Record<string, unknown> {
  return structuredClone(recordedEvents.get(name)) as Record<string, unknown>
}

export interface Answer {
  status: number
  headers: Record<string, string>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers whose shape they assert
  body: any
}

/** Calls a handler the way a function URL does, and reads its JSON. */
export async function call(
  handler: MainHandler,
  route: string,
  options: {
    body?: unknown
    token?: string | undefined
    headers?: Record<string, string>
    query?: Record<string, unknown>
  } = {},
): Promise<Answer> {
  const [httpMethod = '', path = ''] = route.split(' ')
  const { body, token, headers = {}, query = {} } = options
  const isText = typeof body === 'string'
  const reply = await handler({
    httpMethod,
    path,
    queryString: query,
    headers: {
      ...(body === undefined || headers['content-type']
        ? {}
        : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `JWT ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  })
  return read(reply)
}

export function read({ statusCode, headers, body }: HttpReply): Answer {
  return { status: statusCode, headers, body: body === '' ? undefined : JSON.parse(body) }
}
