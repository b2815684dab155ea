/** What a key of the configuration must be, and what can be wrong with one, as codes. */

/** Shorter ones are guessable or typed by hand. */
export const KEY_MIN_BYTES = 32

/** Sentences; `…` stands for the error's detail, the id of a key. */
export const keyFaults = {
  'no-key': 'there is no key',
  'key-too-short': `the key … has fewer than ${KEY_MIN_BYTES} bytes`,
  'bad-key-id': 'the id of a key is 1 to 32 letters, digits, - or _',
  'repeated-key-id': 'two keys have the same id',
} as const

/** One of the faults. */
export type KeyFault = keyof typeof keyFaults

/** Keys that would not be safe to use. Says nothing of their bytes. */
export class KeyError extends Error {
  readonly code: KeyFault

  constructor(code: KeyFault, kid = '') {
    super(keyFaults[code].replace('…', kid))
    this.name = 'KeyError'
    this.code = code
  }
}
