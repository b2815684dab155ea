import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import { type DecryptionNeeds, decryptForCaller } from './decryption.ts'
import { encryptedFields, signedFields, UserDataOutput } from './fields.ts'

/** `POST /login/user-data`: encrypted user data for its fields, as far as they are worth showing. */
export const userData = defineEndpoint<DecryptionNeeds>()({
  route: 'POST /login/user-data',
  auth: 'required',
  input: v.strictObject({ ...encryptedFields, ...signedFields }),
  output: v.object(UserDataOutput),
  async handle({ input, needs, caller }) {
    return { output: await decryptForCaller(input, needs, caller) }
  },
})
