/** Names of variables that are probably meant to be others. */

/** Below this length a name two letters away is another word, not a slip. */
const SHORTEST_NAME = 6

/** The known name that `name` probably stands for; undefined for a known name and for one that resembles none. */
export function probablyMeant(name: string, known: Iterable<string>): string | undefined {
  const written = plain(name)
  let best: { name: string; distance: number } | undefined
  for (const each of known) {
    if (each === name) return undefined
    if (each.length < SHORTEST_NAME) continue
    const distance = editDistance(written, plain(each))
    const allowed = each.length < 9 ? 1 : 2
    if (distance <= allowed && (!best || distance < best.distance)) best = { name: each, distance }
  }
  return best?.name
}

/** Case and underscores are what people get wrong without seeing it. */
function plain(name: string): string {
  return name.toUpperCase().replaceAll(/[_-]/g, '')
}

/** Letters to add, drop, replace or swap with their neighbour. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1]
      let least = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
      )
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (isSwap) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1)
      row.push(least)
    }
    beforeLast = last
    last = row
  }
  return last[to.length] ?? 0
}
