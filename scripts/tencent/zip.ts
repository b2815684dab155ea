/** Zips that depend on their content alone: fixed time, fixed modes, files in the given order. */
import { ZipFile } from 'yazl'

export interface PackedFile {
  name: string
  data: Buffer
  executable?: boolean
}

// A zip holds local time without a zone; midday of the format's first day, built from local parts, is the same bytes in
// every time zone.
const fixedTime = new Date(1980, 0, 1, 12, 0, 0)

/** Equal input gives equal bytes on the same Node version (zlib's output may change between versions). */
export async function deterministicZip(files: readonly PackedFile[]): Promise<Buffer> {
  const zip = new ZipFile()
  for (const { name, data, executable } of files)
    zip.addBuffer(data, name, {
      mtime: fixedTime,
      mode: executable ? 0o100755 : 0o100644,
      compress: true,
      compressionLevel: 9,
      forceDosTimestamp: true,
    })
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
