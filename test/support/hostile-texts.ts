/** The texts of drill F: what breaks SQL, JSON, UTF-8, logs and pages, alone and put together. */

import type { Chance } from './drill-random.ts'
import { readVectors } from './vectors.ts'

const { cases } = readVectors<{ cases: { s: string; expect: string }[] }>('texts-extra')

/** Of SQL, in the spellings of several databases. */
const sql = [
  "'",
  '"',
  '`',
  '\\',
  "\\'",
  "''",
  "' or 1=1 -- ",
  '" or ""="',
  "'; drop table canaries; -- ",
  "'); delete from ratings; -- ",
  "' union select 1,2,3 -- ",
  "1' and sleep(2)#",
  '%',
  '_',
  '%_%',
  '\\%',
  '/*',
  '*/',
  '/*!50000 select*/',
  '--',
  '-- -',
  '#',
  ';',
  '?',
  '??',
  ':id',
  '@@version',
  '$1',
  '$\u007bx}',
  '%s',
  '%27',
  "x'41'",
  '0x41',
  "N'x'",
  "_utf8mb4'x'",
  'null',
  'NULL',
  '\\0',
  '\\Z',
  '\\x27',
  'ʼ or ʼ1ʼ=ʼ1',
]
/** Of other languages that a text may end up in. */
const others = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '&lt;',
  '&#39;',
  '{{7*7}}',
  '<%= 1 %>',
  '=1+1',
  '@SUM(1)',
  '+1',
  '-1',
  '$\u007bjndi:ldap://x}',
  '$(id)',
  '`id`',
  '| id',
  '../../etc/passwd',
  'file:///',
  '\r\nset-cookie: a=b',
  '{"a":1}',
  '[1]',
  '"',
  'true',
  '1e400',
  'NaN',
  '__proto__',
  'constructor',
  'toString',
  '[object Object]',
  'undefined',
]
/** Characters that get lost on the way. */
const characters = [
  '\0',
  '\u0001',
  '\u001a',
  '\u001b[31m',
  '\t',
  '\n',
  '\r\n',
  '\u0085',
  '\u00a0',
  '\u200b',
  '\u200d',
  '\u2028',
  '\u2029',
  '\u202e',
  '\ufeff',
  '\ufffd',
  '\ufffe',
  '\uffff',
  'é',
  'e\u0301',
  'ß',
  'İ',
  'ı',
  'ﬀ',
  'Å',
  'Å',
  '각',
  '각',
  '中文',
  '𠮷',
  '😀',
  '👨‍👩‍👧',
  '🇨🇳',
  '\u{10ffff}',
  'ا',
  'ש',
  '\u0e33',
  '１',
  '½',
  '℡',
  ' ',
  '  ',
  ' x ',
  'x ',
  '',
]

/** Characters that a field takes. */
const LONGEST = 500

const alone: readonly string[] = [
  ...new Set([
    ...cases.filter((each) => each.expect === 'store-identical').map((each) => each.s),
    ...sql,
    ...others,
    ...characters,
  ]),
].filter((text) => text.isWellFormed() && [...text].length <= LONGEST)

/** `count` different texts that must come back as they were: each of the fragments alone, then put together. */
export function hostileTexts(count: number, chance: Chance): string[] {
  const texts = new Set(alone.slice(0, count))
  texts
    .add('x'.repeat(LONGEST))
    .add("'".repeat(LONGEST))
    .add('\\'.repeat(LONGEST))
    .add('😀'.repeat(LONGEST))
  while (texts.size < count) {
    const pieces = Array.from({ length: 1 + chance.below(6) }, () =>
      chance.below(5) === 0 ? String.fromCodePoint(codePoint(chance)) : chance.pick(alone),
    )
    const text = pieces.join('')
    if ([...text].length <= LONGEST) texts.add(text)
  }
  return [...texts].slice(0, count)
}

/** Any but half a character. */
function codePoint(chance: Chance): number {
  const code = chance.below(0x10_f7ff)
  return code < 0xd800 ? code : code + 0x800
}
