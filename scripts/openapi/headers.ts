/** Headers of requests and answers, and how somebody says who they are. */

import { IDEMPOTENCY_KEY } from '../../functions/submit-score/submit-score.ts'
import type { HeaderName } from './operations.ts'

/** Either is enough; a route without a login says so itself. */
export const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: '`Bearer <token>`' },
  jwt: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: '`JWT <token>`, as the article’s clients send it',
  },
}

/** Headers of answers. */
export const headers = {
  RequestId: { description: 'Names the request in the log.', schema: { type: 'string' } },
  RetryAfter: {
    description: 'Seconds to wait, where a time is known.',
    schema: { type: 'integer', minimum: 1 },
  },
  CacheControl: {
    description: '`no-store`, but for what may be kept.',
    schema: { type: 'string' },
  },
  ETag: { description: 'Of what may be kept.', schema: { type: 'string' } },
}

/** Headers of requests, by their names in the components. */
export const requestHeader = {
  IdempotencyKey: {
    name: 'Idempotency-Key' satisfies HeaderName,
    in: 'header',
    description:
      'Makes a retry safe: the same key and content give the same answer and one rating. A UUID is the usual choice.',
    schema: { type: 'string', pattern: IDEMPOTENCY_KEY.source },
  },
  SessionProof: {
    name: 'X-Session-Proof' satisfies HeaderName,
    in: 'header',
    description: 'The secret of a session that was bound with `proofKey`.',
    schema: { type: 'string' },
  },
  IfNoneMatch: {
    name: 'If-None-Match' satisfies HeaderName,
    in: 'header',
    description: 'The `ETag` of what is kept; mini programs always get the whole answer.',
    schema: { type: 'string' },
  },
}

/** Where a header stands in the components. */
export function headerReference(header: HeaderName): { $ref: string } {
  const [name] = Object.entries(requestHeader).find(([, each]) => each.name === header) ?? []
  return { $ref: `#/components/parameters/${name}` }
}
