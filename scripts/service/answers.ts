/** What the answers of a deployed function tell of it, whoever asked: the doctor over HTTP, a deploy through the API. */

export interface DeployedAnswer {
  status: number
  contentType: string
  text: string
}

/** Under a path that every function is given, so that a custom domain routes it; no endpoint has it. */
export const unknownPath = '/query/doctor-asks-for-nothing'

/**
 * Of an answer to `GET /form`: the rating form, a function that has none (only query-scores serves it), a function whose
 * variables are not acceptable, or something else.
 */
export type FormVerdict = 'form' | 'no-form' | 'misconfigured' | 'something-else'

export function judgeForm(answer: DeployedAnswer): FormVerdict {
  const body = objectIn(answer.text)
  if (answer.status === 200 && Array.isArray(body?.grades) && Array.isArray(body.texts)) {
    return 'form'
  }
  const code = problemCode(answer)
  if (answer.status === 404 && code === 'not-found') return 'no-form'
  return code === 'misconfigured' ? 'misconfigured' : 'something-else'
}

/** Whether `unknownPath` was answered as our functions do; one that is misconfigured is judged by its form. */
export function isOwnRefusal(answer: DeployedAnswer): boolean {
  const code = problemCode(answer)
  return (answer.status === 404 && code === 'not-found') || code === 'misconfigured'
}

/** The code of a problem (RFC 9457); undefined for any other answer. */
export function problemCode({ contentType, text }: DeployedAnswer): string | undefined {
  if (!contentType.startsWith('application/problem+json')) return undefined
  const code = objectIn(text)?.code
  return typeof code === 'string' && /^[a-z-]{1,40}$/.test(code) ? code : undefined
}

/** What an answer calls itself, for a sentence: a problem's code, or its media type. */
export function nameOf(answer: DeployedAnswer): string {
  return problemCode(answer) ?? /^[\w/+.-]{1,60}/.exec(answer.contentType)?.[0] ?? '-'
}

/** A JSON object, or undefined for any other text. */
export function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
