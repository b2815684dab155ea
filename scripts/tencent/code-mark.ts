/**
 * Which package became which code in the cloud, as a sentence in a description: the cloud tells the SHA-256 of the code it
 * keeps, and whether that is the digest of what was sent is not documented.
 */

export interface CodeMark {
  /** SHA-256, hexadecimal, of the package that was sent. */
  sent: string
  /** That of the code the cloud kept; `unknown` where the key may not ask. */
  kept: string
}

const pattern = /\s*Code ([0-9a-f]{64}) is kept as (\w+)\.$/

/** Only characters that a description may hold. */
export function codeMarkText({ sent, kept }: CodeMark): string {
  return `Code ${sent} is kept as ${kept}.`
}

export function readCodeMark(description: string): CodeMark | undefined {
  const [, sent, kept] = pattern.exec(description) ?? []
  return sent && kept ? { sent, kept } : undefined
}
