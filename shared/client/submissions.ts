/**
 * Idempotency keys of ratings that were sent and not answered yet. They outlive the page and the app: the same
 * rating sent again is the same submission, however the first try ended.
 */

import { UNANSWERED_KEPT_MS } from './limits.ts'
import { attempt, type Keep } from './platform.ts'
import { sha256 } from './sha256.ts'

/** A submission under way. */
export interface Submission {
  /** The same one for the same rating, until it is answered. */
  key: string
  /** The server has decided on it. */
  answered(): void
}

/** Submissions whose keys are kept in a storage: by a digest, so that the device keeps no second copy of what was written. */
export function createSubmissions(keep: Keep): (rating: object) => Submission {
  const keys = (keep.read('unanswered') || {}) as Record<string, string>
  // A key begins with its time, in as many digits as all times have until 2286.
  const isYoung = (key: string): boolean => key > `${Date.now() - UNANSWERED_KEPT_MS}`

  return (rating) => {
    const text = JSON.stringify(rating)
    // Half characters cannot be encoded, and are refused by the server in any case.
    const digest = sha256(`${attempt(() => encodeURIComponent(text))}`)
    for (const each in keys) if (!isYoung(keys[each] as string)) delete keys[each]
    const key = keys[digest] || `${Date.now()}-${Math.random()}`
    keys[digest] = key
    keep.write('unanswered', keys)
    return {
      key,
      answered() {
        delete keys[digest]
        keep.write('unanswered', keys)
      },
    }
  }
}
