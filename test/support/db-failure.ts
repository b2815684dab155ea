import { inspect } from 'node:util'
import { DbError } from '../../shared/store/db.ts'

/** The `DbError` a promise is rejected with. @throws {Error} when it resolves or is rejected with anything else */
export async function dbFailure(work: Promise<unknown>): Promise<DbError> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (outcome instanceof DbError) return outcome
  throw new Error(`expected a DbError, got ${inspect(outcome)}`)
}
