/**
 * A request body, from whatever the platform delivered to a checked value. Refuses what would
 * later hurt: too large, too deep, not UTF-8, half characters.
 */

import type { BodyEncoding, FormFieldKind } from '../call.ts'
import { Problem } from '../problem.ts'

/** Three texts of 500 Chinese characters, form-encoded twice over, fit; nothing legitimate is larger. */
export const BODY_MAX_BYTES = 16 * 1024
/** Deeper values make `JSON.stringify` and recursive walks overflow the stack. */
export const BODY_MAX_DEPTH = 16

/** A body and what its headers say of it. */
export interface RawBody {
  body: unknown
  isBase64: boolean
  contentType: string | undefined
  contentEncoding: string | undefined
  /** Present when the endpoint accepts forms. */
  formKinds: Record<string, FormFieldKind> | undefined
}

/** @throws {Problem} 400, 413 or 415, naming the reason and never the content */
export function readBody(raw: RawBody): { value: unknown; encoding: BodyEncoding } {
  const text = decodeText(raw)
  if (text === '') return { value: {}, encoding: encodingOf(raw) ?? 'none' }
  const encoding = encodingOf(raw)
  if (encoding === undefined) throw new Problem('unsupported-media-type')
  if (!text.isWellFormed()) throw new Problem('lone-surrogate')
  const value = encoding === 'form' ? readForm(text, raw.formKinds ?? {}) : parseJson(text)
  checkJson(value)
  return { value, encoding }
}

/** The same checks for a value that arrives parsed. @throws {Problem} 400 or 413 */
export function checkValue(value: unknown): unknown {
  // First: JSON.stringify throws for a cycle or a BigInt, and overflows the stack where it is deep.
  checkJson(value)
  if (Buffer.byteLength(JSON.stringify(value)) > BODY_MAX_BYTES) throw new Problem('body-too-large')
  return value
}

function encodingOf({ contentType, formKinds }: RawBody): 'json' | 'form' | undefined {
  const [type = '', ...parameters] = (contentType ?? '').slice(0, 200).toLowerCase().split(';')
  const charset = parameters.map((each) => each.trim()).find((each) => each.startsWith('charset='))
  if (charset !== undefined && !/^charset="?utf-8"?$/.test(charset)) return undefined
  if (type.trim() === 'application/json') return 'json'
  if (type.trim() === 'application/x-www-form-urlencoded' && formKinds) return 'form'
  return undefined
}

function decodeText({ body, isBase64, contentEncoding }: RawBody): string {
  if (body === undefined || body === null || body === '') return ''
  if (typeof body !== 'string') throw new Problem('invalid-json')
  if (contentEncoding !== undefined && contentEncoding.toLowerCase() !== 'identity') {
    throw new Problem('unsupported-media-type')
  }
  const maxLength = isBase64 ? Math.ceil(BODY_MAX_BYTES / 3) * 4 : BODY_MAX_BYTES
  if (body.length > maxLength) throw new Problem('body-too-large')
  if (!isBase64) {
    if (Buffer.byteLength(body) > BODY_MAX_BYTES) throw new Problem('body-too-large')
    return body
  }
  const bytes = Buffer.from(body, 'base64')
  if (bytes.length > BODY_MAX_BYTES) throw new Problem('body-too-large')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Problem('invalid-utf8')
  }
}

function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw new Problem('too-deep')
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Problem('invalid-json')
  }
}

/** Counts brackets outside strings without recursion; invalid JSON is left to the parser. */
function isTooDeep(text: string): boolean {
  let depth = 0
  let isInString = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (isInString) {
      if (character === '\\') index++
      else if (character === '"') isInString = false
    } else if (character === '"') isInString = true
    else if (character === '{' || character === '[') {
      if (++depth > BODY_MAX_DEPTH) return true
    } else if (character === '}' || character === ']') depth--
  }
  return false
}

/**
 * Whether JSON has such a value, not too deep. `\ud800` in JSON makes a half character that a database would
 * replace silently. Numbers are for schemas to judge. @throws {Problem} 400
 */
function checkJson(value: unknown, depth = 0): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new Problem('lone-surrogate')
  } else if (typeof value === 'object' && value !== null) {
    if (!Array.isArray(value) && !isPlain(value)) throw new Problem('invalid-json')
    if (depth === BODY_MAX_DEPTH) throw new Problem('too-deep')
    for (const [key, each] of Object.entries(value)) {
      if (!key.isWellFormed()) throw new Problem('lone-surrogate')
      checkJson(each, depth + 1)
    }
  } else if (value !== null && typeof value !== 'number' && typeof value !== 'boolean') {
    throw new Problem('invalid-json')
  }
}

/** An object of members: its prototype is the root of all, that of another realm as well. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/**
 * Reads a form in either of two ways: as `wx.request` clients of the rating article write it, every
 * value passed through JSON.stringify, when all text values are JSON strings; else every
 * value is plain text, exactly as sent.
 */
function readForm(text: string, kinds: Record<string, FormFieldKind>): unknown {
  const fields = new Map<string, string>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = decodeComponent(at < 0 ? pair : pair.slice(0, at))
    if (fields.has(name)) throw new Problem('invalid-form')
    fields.set(name, at < 0 ? '' : decodeComponent(pair.slice(at + 1)))
  }
  const texts = [...fields].filter(([name]) => kinds[name] === 'text')
  const isStringified = texts.every(([, value]) => jsonString(value) !== undefined)
  const entries = [...fields].map(([name, value]): [string, unknown] => {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === 'text') return [name, isStringified ? jsonString(value) : value]
    const bare = jsonString(value) ?? value
    return [name, kind === 'integer' && /^-?[0-9]{1,9}$/.test(bare) ? Number(bare) : bare]
  })
  return Object.fromEntries(entries)
}

function jsonString(text: string): string | undefined {
  if (!text.startsWith('"')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/** Stricter than URLSearchParams, which replaces invalid bytes silently. */
function decodeComponent(text: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw new Problem('invalid-form')
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new Problem('invalid-utf8')
  }
}
