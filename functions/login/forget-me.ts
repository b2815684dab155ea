import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { PersonStore, RatingEraser } from '../../shared/ports.ts'

interface Needs {
  appid: string
  people: PersonStore
  ratings: RatingEraser
  forgottenRatings: 'delete' | 'keep-anonymous'
}

/**
 * `DELETE /login/me`: removes the person: sessions, keys, phone, and the ratings or, where configured, only their link
 * to the person. Cut off halfway, it is finished by asking again.
 */
export const forgetMe = defineEndpoint<Needs>()({
  route: 'DELETE /login/me',
  auth: 'required',
  input: v.object({}),
  output: v.undefined(),
  async handle({
    needs: { appid, people, ratings, forgottenRatings },
    caller: { userId, openid },
    security,
  }) {
    await ratings.forgetAuthor(userId, forgottenRatings)
    await people.forget({ userId, appid, openid })
    security.note('person-forgotten')
    return { status: 204, output: undefined }
  },
})
