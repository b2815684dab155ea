import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { ratingForm } from '../../shared/domain/form.ts'
import type { FormDefinition } from '../../shared/domain/form-definition.ts'
import { defineEndpoint } from '../../shared/endpoint.ts'

const MAX_AGE_SECONDS = 300

const Field = { name: v.string(), label: v.string() }

/** `GET /form`: the rating form, so that a client can draw it. Open to everyone and cacheable. */
export const form = defineEndpoint()({
  route: 'GET /form',
  auth: 'none',
  isUnlimited: true,
  input: v.object({}),
  output: v.object({
    account: v.object({ ...Field, pattern: v.string(), hint: v.string() }),
    grades: v.array(
      v.object({ ...Field, min: v.number(), max: v.number(), required: v.boolean() }),
    ),
    texts: v.array(v.object({ ...Field, maxLength: v.number(), required: v.boolean() })),
    policy: v.optional(
      v.object({
        atMost: v.number(),
        per: v.picklist(['ever', 'week', 'day', 'hour']),
        further: v.picklist(['refuse', 'replace-last']),
      }),
    ),
  }),
  async handle() {
    const hash = createHash('sha256').update(JSON.stringify(ratingForm)).digest('base64url')
    const { grades, texts, ...rest }: FormDefinition = ratingForm
    return {
      output: { ...rest, grades: [...grades], texts: [...texts] },
      cache: { maxAgeSeconds: MAX_AGE_SECONDS, etag: `"${hash.slice(0, 22)}"` },
    }
  },
})
