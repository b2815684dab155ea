/** The three steps in which a key is replaced: add the new one, let it be the first, drop the old one. */

import { randomBytes } from 'node:crypto'
import { CommandProblem } from '../cli/problem.ts'

/** Variables that hold several keys, `id:key[,id:key …]`: the first signs or seals, all verify or open. */
export const keyRings = ['TOKEN_KEYS', 'SEALING_KEYS'] as const
export type KeyRing = (typeof keyRings)[number]

/** Bytes of a key. */
const KEY_BYTES = 32

/** A random key in base64url. */
export function newKey(): string {
  return randomBytes(KEY_BYTES).toString('base64url')
}

/** A random key with an id that says its day, and that no key of `ring` has: `k20261124:…`. */
export function newNamedKey(atMs: number, ring = ''): string {
  const day = new Date(atMs).toISOString().slice(0, 10).replaceAll('-', '')
  const taken = idsOf(ring)
  const ids = [
    `k${day}`,
    ...Array.from({ length: 25 }, (_, n) => `k${day}${String.fromCharCode(98 + n)}`),
  ]
  const id = ids.find((each) => !taken.includes(each))
  if (id === undefined) throw new CommandProblem('Enough keys were made today.')
  return `${id}:${newKey()}`
}

/** Ids of the keys, the one in use first. */
export function idsOf(ring: string): string[] {
  return keysOf(ring).map((key) => key.slice(0, Math.max(key.indexOf(':'), 0)))
}

/** The first step: a new key behind the one in use. @throws {CommandProblem} while one waits there */
export function addKey(ring: string, key: string): string {
  const keys = keysOf(ring)
  if (keys.length > 1) {
    const [first, second] = idsOf(ring)
    throw new CommandProblem(
      `There are two keys already, ${first} and ${second}: rotate or drop first, whichever is due.`,
    )
  }
  return [...keys, key].join(',')
}

/** The second step: the two change places. @throws {CommandProblem} when there are not two */
export function rotateKeys(ring: string): string {
  const [first, second, ...others] = keysOf(ring)
  if (second === undefined) throw new CommandProblem('There is one key only: add one first.')
  return [second, first, ...others].join(',')
}

/** The last step: the keys behind the first go. @throws {CommandProblem} when there are none */
export function dropKeys(ring: string): string {
  const [first = '', ...old] = keysOf(ring)
  if (old.length === 0) throw new CommandProblem('There is one key only, and it is in use.')
  return first
}

function keysOf(ring: string): string[] {
  return ring
    .split(',')
    .map((key) => key.trim())
    .filter(Boolean)
}
