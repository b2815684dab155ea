/** A client of a function's server, as a drill needs one: tells what came of a request, and never throws. */

export interface DrillAnswer {
  /** 0 when there was no answer. */
  status: number
  retryAfter: string | null
  // biome-ignore lint/suspicious/noExplicitAny: drills look into answers whose shape they assert
  body: any
  durationMs: number
}

/** One request. Longer than `timeoutMs` nobody waits. */
export async function ask(
  url: string,
  route: string,
  {
    token,
    body,
    key,
    timeoutMs = 10_000,
  }: { token?: string; body?: unknown; key?: string; timeoutMs?: number } = {},
): Promise<DrillAnswer> {
  const [method = '', path = ''] = route.split(' ')
  const startedAt = performance.now()
  const durationMs = (): number => performance.now() - startedAt
  try {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `JWT ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await response.text()
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body: text === '' ? undefined : JSON.parse(text),
      durationMs: durationMs(),
    }
  } catch {
    return { status: 0, retryAfter: null, body: undefined, durationMs: durationMs() }
  }
}
