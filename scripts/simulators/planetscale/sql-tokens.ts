/**
 * Reads MySQL text into tokens, so that nothing ever searches inside a literal. Literals are
 * understood as MySQL understands them with its default sql_mode (backslash escapes on, double
 * quotes are strings). https://dev.mysql.com/doc/refman/8.0/en/string-literals.html
 */
import { notSupported, syntaxError } from './engine.ts'

export type TokenKind = 'word' | 'name' | 'text' | 'bytes' | 'number' | 'variable' | 'sign'

export interface Token {
  kind: TokenKind
  /** Lower-cased for a word, decoded for a literal or a quoted name, otherwise as written. */
  text: string
  /** A word as written, since answers name columns so. */
  written?: string
  /** The value of a `bytes` literal. */
  bytes?: Uint8Array
  /** Where it stands in the source, to name unnamed result columns as MySQL does. */
  start: number
  end: number
}

const ESCAPES: Record<string, string> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\x1a',
}

const SIGNS = ['<=>', '<=', '>=', '<>', '!=', ':=', '||', '&&', '<<', '>>']
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/uy
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy
const HEX_NUMBER = /0x[0-9a-f]+(?![\p{L}\p{N}_$])/iuy
const VARIABLE = /@@?(?:[a-z]+\.)?[a-z_0-9]+/iy

function matchAt(pattern: RegExp, source: string, position: number): string | undefined {
  pattern.lastIndex = position
  return pattern.exec(source)?.[0]
}

/** @throws {EngineError} 1064 for an unterminated literal or a character that begins no token */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let position = 0
  for (;;) {
    position = skipBlanks(source, position)
    if (position >= source.length) return joinLiterals(tokens)
    const token = readToken(source, position)
    tokens.push(token)
    position = token.end
  }
}

function skipBlanks(source: string, from: number): number {
  let position = from
  for (;;) {
    const char = source.charAt(position)
    const lineComment = char === '#' || /^--(?:\s|$)/.test(source.slice(position, position + 3))
    if (char !== '' && /\s/.test(char)) position++
    else if (lineComment) {
      const end = source.indexOf('\n', position)
      position = end === -1 ? source.length : end + 1
    } else if (source.startsWith('/*', position)) {
      if (source.startsWith('/*!', position)) throw notSupported('executable comments')
      const end = source.indexOf('*/', position + 2)
      if (end === -1) throw syntaxError(source.slice(position))
      position = end + 2
    } else return position
  }
}

function readToken(source: string, start: number): Token {
  const char = source.charAt(start)
  if (char === "'" || char === '"') return readQuoted(source, start, 'text')
  if (char === '`') return readQuoted(source, start, 'name')
  const quoteNext = source.charAt(start + 1) === "'"
  if (quoteNext && (char === 'x' || char === 'X')) return readHexString(source, start)
  if (quoteNext && (char === 'b' || char === 'B')) throw notSupported('bit literals')
  const hexNumber = matchAt(HEX_NUMBER, source, start)
  if (hexNumber !== undefined) {
    const digits = hexNumber.slice(2)
    const even = digits.length % 2 === 0 ? digits : `0${digits}`
    return bytesToken(even, start, start + hexNumber.length)
  }
  for (const [kind, pattern] of [
    ['number', NUMBER],
    ['word', WORD],
    ['variable', VARIABLE],
  ] as const) {
    const text = matchAt(pattern, source, start)
    if (text !== undefined) {
      return { kind, text: text.toLowerCase(), written: text, start, end: start + text.length }
    }
  }
  const sign = SIGNS.find((candidate) => source.startsWith(candidate, start)) ?? char
  if (!/^[-+*/%=<>!(),.;|&:^~?]+$/.test(sign)) throw syntaxError(source.slice(start))
  return { kind: 'sign', text: sign, start, end: start + sign.length }
}

function readQuoted(source: string, start: number, kind: 'text' | 'name'): Token {
  const quote = source.charAt(start)
  const parts: string[] = []
  let copyFrom = start + 1
  let position = copyFrom
  for (;;) {
    if (position >= source.length) throw syntaxError(source.slice(start))
    const char = source.charAt(position)
    if (char === '\\' && kind === 'text') {
      const escaped = source.charAt(position + 1)
      // `\%` and `\_` keep their backslash: they mean something only inside LIKE.
      const value = escaped === '%' || escaped === '_' ? `\\${escaped}` : ESCAPES[escaped]
      parts.push(source.slice(copyFrom, position), value ?? escaped)
      position += 2
      copyFrom = position
    } else if (char === quote) {
      parts.push(source.slice(copyFrom, position))
      if (source.charAt(position + 1) !== quote) {
        return { kind, text: parts.join(''), start, end: position + 1 }
      }
      parts.push(quote)
      position += 2
      copyFrom = position
    } else position++
  }
}

function readHexString(source: string, start: number): Token {
  const end = source.indexOf("'", start + 2)
  const digits = source.slice(start + 2, end)
  if (end === -1 || digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) {
    throw syntaxError(source.slice(start))
  }
  return bytesToken(digits, start, end + 1)
}

function bytesToken(digits: string, start: number, end: number): Token {
  return { kind: 'bytes', text: '', bytes: Buffer.from(digits, 'hex'), start, end }
}

/** `'a' 'b'` is one literal, and an introducer such as `_utf8mb4` belongs to the literal after it. */
function joinLiterals(tokens: Token[]): Token[] {
  const joined: Token[] = []
  for (const token of tokens) {
    const before = joined.at(-1)
    const literal = token.kind === 'text' || token.kind === 'bytes'
    if (
      literal &&
      before?.kind === 'word' &&
      /^_(utf8mb4|utf8mb3|utf8|ascii|binary)$/.test(before.text)
    ) {
      joined[joined.length - 1] =
        before.text === '_binary' && token.kind === 'text'
          ? {
              ...token,
              kind: 'bytes',
              text: '',
              bytes: Buffer.from(token.text),
              start: before.start,
            }
          : { ...token, start: before.start }
    } else if (token.kind === 'text' && before?.kind === 'text') {
      joined[joined.length - 1] = { ...before, text: before.text + token.text, end: token.end }
    } else joined.push(token)
  }
  return joined
}

export function isWord(token: Token | undefined, ...words: string[]): boolean {
  return token?.kind === 'word' && words.includes(token.text)
}

export function isSign(token: Token | undefined, sign: string): boolean {
  return token?.kind === 'sign' && token.text === sign
}

/** True when the tokens from `at` on are these words, in this order. */
export function wordsAt(tokens: readonly Token[], at: number, ...words: string[]): boolean {
  return words.every((word, offset) => isWord(tokens[at + offset], word))
}

/** A name, quoted or not; keywords are not told apart. */
export function isName(token: Token | undefined): token is Token {
  return token?.kind === 'word' || token?.kind === 'name'
}

/** The index of the bracket that closes the one at `open`. @throws {EngineError} 1064 when there is none */
export function closingBracket(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    if (isSign(tokens[at], '(')) depth++
    if (isSign(tokens[at], ')') && --depth === 0) return at
  }
  throw syntaxError('')
}

/** Splits on commas that stand outside every bracket. */
export function splitOnCommas(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (isSign(token, '(')) depth++
    if (isSign(token, ')')) depth--
    if (depth === 0 && isSign(token, ',')) parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts
}

/** The first index at or after `from`, outside every bracket, that `matches`; -1 when there is none. */
export function findOutside(
  tokens: readonly Token[],
  matches: (token: Token, at: number) => boolean,
  from = 0,
): number {
  let depth = 0
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at]
    if (token === undefined) break
    if (isSign(token, ')')) depth--
    if (depth === 0 && matches(token, at)) return at
    if (isSign(token, '(')) depth++
  }
  return -1
}
