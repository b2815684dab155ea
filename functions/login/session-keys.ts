/** Session keys of a user as the endpoints use them: sealed when stored, tried newest first. */

import type { Lookup, PersonStore, SealedSessionKey, Vault } from '../../shared/ports.ts'
import {
  decryptUserData,
  type EncryptedUserData,
  type UserData,
  verifyRawData,
} from '../../shared/wechat/user-data.ts'

/** WeChat names no age; replayed data is older than this. */
const USER_DATA_MAX_AGE_MS = 10 * 60 * 1000

/** A session key as it is stored. */
export function sealSessionKey(
  { vault, lookup }: { vault: Vault; lookup: Lookup },
  userId: string,
  sessionKey: string,
): SealedSessionKey {
  return {
    sealed: vault.seal(sessionKey, contextOf(userId)),
    digest: lookup.digest('session-key', sessionKey),
  }
}

/** The stored session keys of a user in clear, newest first; those under an older sealing key are sealed anew. */
export async function openSessionKeys(
  { vault, people }: { vault: Vault; people: PersonStore },
  userId: string,
): Promise<string[]> {
  const context = contextOf(userId)
  const keys: string[] = []
  for (const sealed of await people.sessionKeys(userId)) {
    const opened = vault.open(sealed, context)
    if (!opened) continue
    keys.push(opened.plaintext)
    if (!opened.isCurrent) {
      await people.resealSessionKey(userId, sealed, vault.seal(opened.plaintext, context))
    }
  }
  return keys
}

/** User data that one of the keys opens and, when a signature came with it, signs. */
export function decryptWithKeys(
  sessionKeys: readonly string[],
  data: Omit<EncryptedUserData, 'sessionKey' | 'maxAgeMs'> & {
    rawData?: string | undefined
    signature?: string | undefined
  },
): UserData | undefined {
  const { rawData, signature } = data
  const isSigned = rawData !== undefined || signature !== undefined
  for (const sessionKey of sessionKeys) {
    const userData = decryptUserData({ ...data, sessionKey, maxAgeMs: USER_DATA_MAX_AGE_MS })
    if (userData && (!isSigned || verifyRawData({ rawData, signature, sessionKey })))
      return userData
  }
  return undefined
}

function contextOf(userId: string): string {
  return `session-key:${userId}`
}
