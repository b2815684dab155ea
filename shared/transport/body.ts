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
  if (!isWellFormed(value)) throw new Problem('lone-surrogate')
  return { value, encoding }
}

/** The same checks for a value that arrives parsed. @throws {Problem} 400 or 413 */
export function checkValue(value: unknown): unknown {
  const text = JSON.stringify(value) ?? 'null'
  if (Buffer.byteLength(text) > BODY_MAX_BYTES) throw new Problem('body-too-large')
  if (isTooDeep(text)) throw new Problem('too-deep')
  if (!isWellFormed(value)) throw new Problem('lone-surrogate')
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

/** `\ud800` in JSON makes a half character that a database would replace silently. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, each]) => key.isWellFormed() && isWellFormed(each))
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
