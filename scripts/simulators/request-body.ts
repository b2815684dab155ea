import type { IncomingMessage } from 'node:http'

/** The whole body, or undefined when it is longer than the limit or breaks off. */
export async function readWholeBody(
  incoming: IncomingMessage,
  limitBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes <= limitBytes) chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return bytes > limitBytes ? undefined : Buffer.concat(chunks)
}
