/** Where the replacing of a key stands: a comment above the variable says which step was done when. */

import { idsOf, type KeyRing } from './key-ring.ts'

const DAY_MS = 86_400_000
/** The longest that ACCESS_TOKEN_SECONDS may be, and the time a deploy takes. */
const TOKEN_KEY_REST_MS = DAY_MS + 3_600_000

/** The comment that is left: `# TOKEN_KEYS, last step: rotate 2026-11-24T18:30:00.000Z`. */
export function noteOf(ring: KeyRing, step: string, atMs: number): string {
  return `# ${ring}, last step: ${step} ${new Date(atMs).toISOString()}`
}

/** When the old key may be dropped, epoch ms; `undefined` when nobody noted the step before. */
export function dueOf(ring: KeyRing, text: string): number | undefined {
  const [, step, at = ''] =
    new RegExp(`^# ${ring}, last step: (\\w+) (\\S+)$`, 'm').exec(text) ?? []
  if (step !== 'rotate' || Number.isNaN(Date.parse(at))) return undefined
  return Date.parse(at) + (ring === 'TOKEN_KEYS' ? TOKEN_KEY_REST_MS : 0)
}

/** What comes next, in a sentence. */
export function nextStep(name: KeyRing, ring: string, text: string): string {
  const [, second] = idsOf(ring)
  const command = (step: string): string => `npm run keys -- ${step} ${name}`
  if (second === undefined)
    return `Deploy if it was changed; ${command('add')} begins a replacement.`
  const dueMs = dueOf(name, text)
  if (dueMs === undefined) return `Next: deploy, then ${command('rotate')}.`
  const when =
    name === 'TOKEN_KEYS'
      ? `from ${new Date(dueMs).toISOString().slice(0, 16).replace('T', ' ')} UTC on`
      : 'once nothing is sealed with it any more'
  return `Next: deploy, then, ${when}, ${command('drop')}, and deploy again.`
}
