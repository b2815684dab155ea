import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { PersonStore } from '../../shared/ports.ts'

/** `DELETE /login/phone`: unbinds the caller's number, if there is any. What it allowed to read ends at once. */
export const unbindPhone = defineEndpoint<{ people: PersonStore }>()({
  route: 'DELETE /login/phone',
  auth: 'required',
  input: v.object({}),
  output: v.undefined(),
  async handle({ needs: { people }, caller: { userId } }) {
    await people.unbindPhone(userId)
    return { status: 204, output: undefined }
  },
})
