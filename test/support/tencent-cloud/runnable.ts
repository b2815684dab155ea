/** What a qualifier of the offline cloud leads to: the newest state, a version, or the alias's choice between them. */
import { Refusal } from './refusal.ts'
import type { StoredFunction } from './stored-function.ts'

/** Code and configuration that can run, and what they are called. */
export type Runnable = StoredFunction & { version: string }

/** Throws a `Refusal` when there is none of this name. */
export function versionOf(stored: StoredFunction, name: string) {
  const found = stored.versions.find(({ version }) => version === name)
  if (!found) throw new Refusal('ResourceNotFound.FunctionVersion', `版本 ${name} 不存在。`)
  return found
}

/** What a qualifier leads to; an alias that parts its calls deals them out in turn. */
export function runnable(stored: StoredFunction, qualifier: string): Runnable {
  if (qualifier === '$LATEST') return { ...stored, version: qualifier }
  if (qualifier === '$DEFAULT') {
    const { version, additional, calls } = stored.alias
    const isTurn =
      additional &&
      Math.floor((calls + 1) * additional.weight) > Math.floor(calls * additional.weight)
    return runnable(stored, isTurn ? additional.version : version)
  }
  const { frozen, status, version } = versionOf(stored, qualifier)
  return { ...frozen, status, version, triggers: stored.triggers, alias: stored.alias }
}

/** A version that is being published is done when its function is. */
export function advanceVersion(stored: StoredFunction, qualifier: string | undefined): void {
  for (const each of stored.versions)
    if (each.status === 'Publishing' && stored.status !== 'Publishing')
      each.status = stored.status === 'PublishFailed' ? 'PublishFailed' : 'Active'
  if (qualifier && /^\d+$/.test(qualifier)) versionOf(stored, qualifier)
}
