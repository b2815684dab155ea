import { sealingKeyIdOf } from '../../shared/session/vault.ts'
import type { Db } from '../../shared/store/db.ts'
import { sealedValuePages } from '../../shared/store/maintenance.ts'

/** How many people have a session key or a phone number that is sealed with one of these keys. */
export async function countSealedBy(db: Db, kids: readonly string[]): Promise<number> {
  let people = 0
  for await (const page of sealedValuePages(db))
    for (const sealed of page)
      if (sealed.some((value) => kids.includes(sealingKeyIdOf(value) ?? ''))) people++
  return people
}
