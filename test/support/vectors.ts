import { readFileSync } from 'node:fs'

/** A file of test/vectors. Read by hand: a bundler's JSON loader refuses half characters. */
export function readVectors<Content>(name: string): Content {
  const file = new URL(`../vectors/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as Content
}
