/** Names of variables that are probably meant to be others. */

import leven from 'leven'

/** Below this length a name two letters away is another word, not a slip. */
const SHORTEST_NAME = 6

/** The known name that `name` probably stands for; undefined for a known name and for one that resembles none. */
export function probablyMeant(name: string, known: Iterable<string>): string | undefined {
  const written = plain(name)
  let best: { name: string; distance: number } | undefined
  for (const each of known) {
    if (each === name) return undefined
    if (each.length < SHORTEST_NAME) continue
    const distance = leven(written, plain(each))
    const allowed = each.length < 9 ? 1 : 2
    if (distance <= allowed && (!best || distance < best.distance)) best = { name: each, distance }
  }
  return best?.name
}

/** Case and underscores are what people get wrong without seeing it. */
function plain(name: string): string {
  return name.toUpperCase().replaceAll(/[_-]/g, '')
}
