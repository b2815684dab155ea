import * as v from 'valibot'
import {
  digestPhoneNumber,
  maskPhoneNumber,
  spellPhoneNumber,
} from '../../shared/domain/phone-number.ts'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { CodeClaimStore, Lookup, WeChat } from '../../shared/ports.ts'
import { Problem } from '../../shared/problem.ts'
import { claimCode } from './code-claim.ts'
import { type DecryptionNeeds, decryptForCaller } from './decryption.ts'
import { Code, encryptedFields } from './fields.ts'

interface Needs extends DecryptionNeeds {
  wechat: WeChat
  codeClaims: CodeClaimStore
  lookup: Lookup
}

const PhoneInput = v.pipe(
  v.strictObject({
    code: v.optional(Code),
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
 * number: encrypted data comes from the client, and nothing vouches for it.
 */
export const phone = defineEndpoint<Needs>()({
  route: 'POST /login/phone',
  auth: 'required',
  input: PhoneInput,
  output: v.object({ phone: v.string() }),
  async handle({
    input: { code, encryptedData, iv },
    needs,
    caller,
    facts: { remainingMs },
    security,
  }) {
    const { people, vault, wechat, lookup, clock } = needs
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

    const claim = await claimCode(needs, {
      purpose: 'phone-code',
      code,
      nonce: userId,
      remainingMs,
    })
    if (claim.state === 'settled') {
      const bound = await people.phone(userId)
      const opened = bound && vault.open(bound.sealed, context)
      if (!opened) throw new Problem('phone-code-rejected')
      return { output: { phone: maskPhoneNumber(opened.plaintext) } }
    }
    try {
      const number = spellPhoneNumber(await wechat.exchangePhoneCode(code, remainingMs()))
      const { wasTakenOver } = await people.bindPhone({
        userId,
        sealed: vault.seal(number, context),
        digest: digestPhoneNumber(number, lookup),
        atMs: clock.now(),
      })
      await claim.settle({ userId, sessionId: null })
      if (wasTakenOver) security.note('number-taken-over')
      return { output: { phone: maskPhoneNumber(number) } }
    } catch (error) {
      await claim.release().catch(() => {})
      throw error
    }
  },
})
