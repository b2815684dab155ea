/**
 * The ways to a database: which URL leads through which door, and which of them a bundle carries. A further door is a
 * file beside this one and a line in `doors`.
 */

import { DatabaseUrlError } from './database-url-error.ts'
import type { Database, DoorOptions } from './db.ts'
import { parseMySqlUrl } from './mysql-url.ts'
import { checkPlanetScaleUrl } from './planetscale-url.ts'

declare global {
  /** The one door a bundle was built for, put in its place by the build; sources run without it and have all. */
  var STORE_DOOR: string | undefined
}

interface Door {
  /** Which URLs lead through it. */
  urls: RegExp
  /** @throws {DatabaseUrlError} saying what is wrong with one of them */
  check: (url: string) => unknown
  /** Loads the driver. @throws {DatabaseUrlError} */
  open: (options: DoorOptions) => Promise<Database>
}

// Spelt out in each, so that the build drops the drivers that a bundle does not carry.
const doors = {
  planetscale:
    (globalThis.STORE_DOOR ?? 'planetscale') === 'planetscale'
      ? {
          urls: /^https?:/i,
          check: checkPlanetScaleUrl,
          open: async (o) => (await import('./planetscale.ts')).openPlanetScale(o),
        }
      : undefined,
  mysql:
    (globalThis.STORE_DOOR ?? 'mysql') === 'mysql'
      ? {
          urls: /^mysql:/i,
          check: parseMySqlUrl,
          open: async (o) => (await import('./mysql.ts')).openMySql(o),
        }
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

/** Checks a URL without opening anything. @throws {DatabaseUrlError} also when this bundle lacks its driver */
export function checkDatabaseUrl(url: string): void {
  doorFor(url).check(url)
}

/** Opens the database behind a URL; nothing is sent before the first statement. @throws {DatabaseUrlError} */
export async function openDatabase(options: DoorOptions): Promise<Database> {
  return doorFor(options.url).open(options)
}

function doorFor(url: string): Door {
  const door: Door | undefined = Object.values(doors).find((each) => each?.urls.test(url))
  if (door) return door
  const built = globalThis.STORE_DOOR
  throw built ? new DatabaseUrlError('other-door', built) : new DatabaseUrlError('scheme')
}
