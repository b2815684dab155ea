/** Which failures a route can answer: those that follow from its declaration, and those that are written of it. */

import type { JsonSchema } from '@valibot/to-json-schema'
import type { AnyEndpoint } from '../../shared/endpoint.ts'
import { Problem, type ProblemCode, problemCatalogue } from '../../shared/problem.ts'
import { operations } from './operations.ts'

/** Answered before a request is known to be one of a route, by functions that run as a server. */
export const problemsOfServers: readonly ProblemCode[] = [
  'malformed-request',
  'request-timeout',
  'headers-too-large',
  'server-busy',
]

/** Answered to what is no operation: another path, another method. */
export const problemsOutside: readonly ProblemCode[] = ['not-found', 'method-not-allowed']

const always: readonly ProblemCode[] = ['misconfigured', 'internal', ...problemsOfServers]
const ofToken: readonly ProblemCode[] = ['not-logged-in', 'unauthenticated']
const ofBody: readonly ProblemCode[] = [
  'invalid-json',
  'invalid-utf8',
  'lone-surrogate',
  'too-deep',
  'body-too-large',
  'unsupported-media-type',
  'invalid-field',
]
/** Of whatever is counted, and so asks the store. */
const ofStore: readonly ProblemCode[] = ['too-many-requests', 'store-unavailable']

type Declared = Pick<
  AnyEndpoint<never>,
  'route' | 'auth' | 'isUnlimited' | 'readsBody' | 'input' | 'formKinds'
>

/** Whether the route reads a body. */
export function readsBody({ route, readsBody }: Pick<Declared, 'route' | 'readsBody'>): boolean {
  return readsBody === true || route.startsWith('POST ')
}

/** Names of the parameters in a route's path. */
export function pathParametersOf({ route }: Pick<Declared, 'route'>): string[] {
  return [...route.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
}

/** Names of the parameters of a route's query. */
export function queryParametersOf(endpoint: Declared): string[] {
  if (readsBody(endpoint)) return []
  const { entries } = endpoint.input as { entries?: object }
  const inPath = pathParametersOf(endpoint)
  return Object.keys(entries ?? {}).filter((name) => !inPath.includes(name))
}

/** Every problem that the route can answer, in the catalogue's order. */
export function problemsOf(endpoint: Declared): ProblemCode[] {
  const codes = new Set<ProblemCode>([
    ...always,
    ...(endpoint.auth === 'required' ? ofToken : []),
    ...(readsBody(endpoint) ? ofBody : []),
    ...(queryParametersOf(endpoint).length > 0 ? (['invalid-field'] as const) : []),
    ...(endpoint.formKinds ? (['invalid-form'] as const) : []),
    ...(endpoint.isUnlimited ? [] : ofStore),
    ...(operations[endpoint.route]?.problems ?? []),
  ])
  return problemCodes.filter((code) => codes.has(code))
}

/** The whole catalogue, in its order. */
export const problemCodes = Object.keys(problemCatalogue) as ProblemCode[]

const EXAMPLE_REQUEST_ID = '5f0c8a4e-6f0b-4a39-9a7c-3c1f1f1a2b3c'

/** A problem's example in the components. */
export function problemExample(code: ProblemCode): { summary: string; value: unknown } {
  const { retry } = problemCatalogue[code]
  const details = code === 'invalid-field' ? { field: 'code' } : {}
  return {
    summary: `${code}, retry: ${retry}`,
    value: new Problem(code, details).toBody(EXAMPLE_REQUEST_ID),
  }
}

/** The body of every error answer. */
export function problemSchema(): JsonSchema {
  const retries = [...new Set(problemCodes.map((code) => problemCatalogue[code].retry))].sort()
  const properties: Record<string, JsonSchema> = {
    type: { type: 'string', pattern: '^urn:miniscore:problem:[a-z0-9-]+$' },
    title: { type: 'string', description: 'The code in words, for developers.' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    code: { type: 'string', enum: problemCodes, description: 'The list is closed.' },
    message: { type: 'string', description: 'Chinese, fit for a toast.' },
    requestId: { type: 'string', description: 'Names the request in the log.' },
    retry: {
      type: 'string',
      enum: retries,
      description: '`login` anew, `refresh` the token, try the same `later`, or `never`.',
    },
    field: { type: 'string', description: 'The field that the problem is about.' },
  }
  const required = Object.keys(properties).filter((name) => name !== 'field')
  return { type: 'object', description: 'RFC 9457.', properties, required }
}

/** One answer for all of a route's problems of one status. */
export function problemResponse(codes: readonly ProblemCode[]): object {
  const entries = codes.map((code) => ({ code, ...problemCatalogue[code] }))
  const retries = [...new Set(entries.map(({ retry }) => retry))]
  const isServers = (code: ProblemCode): boolean => problemsOfServers.includes(code)
  const isPassing = entries.some(({ status }) => status === 429 || status === 503)
  const lines = entries.map(
    ({ code, retry, message }) =>
      `- \`${code}\`: ${message} (retry: \`${retry}\`${isServers(code) ? '; of a server only' : ''})`,
  )
  return {
    description: lines.join('\n'),
    headers: {
      'X-Request-Id': { $ref: '#/components/headers/RequestId' },
      ...(isPassing ? { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : {}),
    },
    content: {
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            {
              type: 'object',
              properties: { code: { enum: codes }, retry: { enum: retries } },
            },
          ],
        },
        examples: Object.fromEntries(
          codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
        ),
      },
    },
  }
}
