import * as v from 'valibot'
import {
  digestPhoneNumber,
  maskPhoneNumber,
  spellPhoneNumber,
} from '../../shared/domain/phone-number.ts'
import { defineEndpoint } from '../../shared/endpoint.ts'
import { Problem } from '../../shared/problem.ts'
import { claimCode } from './code-claim.ts'
import { type DecryptionNeeds, decryptForCaller } from './decryption.ts'
import { Code, encryptedFields } from './fields.ts'
import { type FreshLoginNeeds, requireFreshLogin } from './fresh-login.ts'

interface Needs extends DecryptionNeeds, FreshLoginNeeds {}

const PhoneInput = v.pipe(
  v.strictObject({
    code: v.optional(Code('code')),
    loginCode: v.optional(Code('loginCode')),
    encryptedData: v.optional(encryptedFields.encryptedData),
    iv: v.optional(encryptedFields.iv),
  }),
  v.forward(
    v.check(
      ({ code, encryptedData, iv }) =>
        code === undefined
          ? encryptedData !== undefined && iv !== undefined
          : encryptedData === undefined && iv === undefined,
      '请提供 code，或同时提供 encryptedData 与 iv',
    ),
    ['code'],
  ),
)

/**
 * `POST /login/phone`: binds a phone number to the user. Only the code makes the user the holder of the
 * number: encrypted data comes from the client, and nothing vouches for it. A number that is somebody else's is taken over
 * with a fresh login code beside it; without one, the same phone code may be sent again with one, and is paid for once.
 */
export const phone = defineEndpoint<Needs>()({
  route: 'POST /login/phone',
  auth: 'required',
  input: PhoneInput,
  output: v.object({ phone: v.string() }),
  async handle({ input, needs, caller, facts: { remainingMs }, security }) {
    const { code, loginCode, encryptedData, iv } = input
    const { people, vault, lookup, clock } = needs
    const { userId } = caller
    const context = `phone:${userId}`

    if (code === undefined) {
      const data = { encryptedData: encryptedData ?? '', iv: iv ?? '' }
      const { purePhoneNumber, countryCode = '86' } = await decryptForCaller(data, needs, caller)
      if (purePhoneNumber === undefined || !/^[0-9]{5,15}$/.test(purePhoneNumber)) {
        throw new Problem('session-key-stale')
      }
      const number = spellPhoneNumber({ purePhoneNumber, countryCode })
      await people.notePhone(userId, vault.seal(number, context))
      return { output: { phone: maskPhoneNumber(number) } }
    }

    const number = await numberOf(code, needs, { userId, context }, remainingMs)
    const digest = digestPhoneNumber(number, lookup)
    const holderId = await people.phoneHolder(digest)
    if (holderId !== undefined && holderId !== userId) {
      await requireFreshLogin(loginCode, needs, caller, remainingMs)
    }
    const sealed = vault.seal(number, context)
    const bound = await people.bindPhone({ userId, sealed, digest, atMs: clock.now() })
    if (bound.wasTakenOver) security.note('number-taken-over')
    return { output: { phone: maskPhoneNumber(number) } }
  },
})

/** The number that a code stands for, asked of WeChat once; the same person may send it again for a minute. */
async function numberOf(
  code: string,
  needs: Needs,
  { userId, context }: { userId: string; context: string },
  remainingMs: () => number,
): Promise<string> {
  const { wechat, vault } = needs
  const claim = await claimCode(needs, { purpose: 'phone-code', code, nonce: userId, remainingMs })
  if (claim.state === 'settled') {
    const opened = claim.phoneSealed && vault.open(claim.phoneSealed, context)
    if (!opened) throw new Problem('phone-code-rejected')
    return opened.plaintext
  }
  try {
    const number = spellPhoneNumber(await wechat.exchangePhoneCode(code, remainingMs()))
    await claim.settle({ userId, phoneSealed: vault.seal(number, context) })
    return number
  } catch (error) {
    await claim.release().catch(() => {})
    throw error
  }
}
