import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { OwnRatings } from '../../shared/ports.ts'
import { Page, pageParameters, readPage } from './page.ts'

/** `GET /score`: the caller's own ratings, newest first. */
export const ownScores = defineEndpoint<{ ownRatings: OwnRatings }>()({
  route: 'GET /score',
  auth: 'required',
  input: v.object(pageParameters),
  output: Page,
  async handle({ input, needs: { ownRatings }, caller: { userId } }) {
    return { output: await readPage(input, (slice) => ownRatings.scoresByAuthor(userId, slice)) }
  },
})
