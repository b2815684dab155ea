/**
 * The ways to a database: which URL leads through which door, and which of them a bundle carries. A further door is a
 * file beside this one and a line in `doors`.
 */

import { DatabaseUrlError } from './database-url-error.ts'
import type { Database, DoorOptions } from './db.ts'

declare global {
  /** The one door a bundle was built for, put in its place by the build; sources run without it and have all. */
  var STORE_DOOR: string | undefined
}

interface Door {
  /** Which URLs lead through it. */
  urls: RegExp
  /** Loads the driver. @throws {DatabaseUrlError} */
  open: (options: DoorOptions) => Promise<Database>
}

// Spelt out in each, so that the build drops the drivers that a bundle does not carry.
const doors = {
  planetscale:
    (globalThis.STORE_DOOR ?? 'planetscale') === 'planetscale'
      ? {
          urls: /^https?:/i,
          open: async (o) => (await import('./planetscale.ts')).openPlanetScale(o),
        }
      : undefined,
  mysql:
    (globalThis.STORE_DOOR ?? 'mysql') === 'mysql'
      ? { urls: /^mysql:/i, open: async (o) => (await import('./mysql.ts')).openMySql(o) }
      : undefined,
} satisfies Record<string, Door | undefined>

/** A way to a database: a driver, and the bundles that carry it. */
export type StoreDoor = keyof typeof doors

/** Every door there is. */
export const storeDoors = /* @__PURE__ */ Object.keys(doors) as StoreDoor[]

/** The door a database URL leads through, PlanetScale's when none is configured. @throws {DatabaseUrlError} */
export function storeDoorOf(url: string | undefined): StoreDoor {
  const found = url ? storeDoors.find((name) => doors[name]?.urls.test(url)) : 'planetscale'
  if (!found) throw new DatabaseUrlError('scheme')
  return found
}

/** Whether this bundle carries a driver for the database behind a URL. */
export function hasDoorFor(url: string): boolean {
  return doorFor(url) !== undefined
}

/** Opens the database behind a URL; nothing is sent before the first statement. @throws {DatabaseUrlError} */
export async function openDatabase(options: DoorOptions): Promise<Database> {
  const door = doorFor(options.url)
  if (!door) throw new DatabaseUrlError(globalThis.STORE_DOOR ? 'other-door' : 'scheme')
  return door.open(options)
}

function doorFor(url: string): Door | undefined {
  return Object.values(doors).find((door) => door?.urls.test(url))
}
