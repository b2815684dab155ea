/**
 * Reads a zip by its central directory and checks sizes and CRCs. Written apart from the library that makes the zips, so
 * that a fault of theirs shows.
 */
import { crc32, inflateRawSync } from 'node:zlib'

export interface ZippedFile {
  name: string
  mode: number
  data: Buffer
  modifiedDos: number
}

const endSignature = 0x06054b50
const directorySignature = 0x02014b50
const localSignature = 0x04034b50

/** The files in directory order. Throws an `Error` saying what is broken. */
export function readZip(zip: Buffer): ZippedFile[] {
  const end = zip.length - 22
  if (end < 0 || zip.readUInt32LE(end) !== endSignature)
    throw new Error('no end of central directory')
  const count = zip.readUInt16LE(end + 10)
  let at = zip.readUInt32LE(end + 16)
  const files: ZippedFile[] = []
  for (let index = 0; index < count; index++) {
    if (zip.readUInt32LE(at) !== directorySignature) throw new Error('broken central directory')
    const method = zip.readUInt16LE(at + 10)
    const modifiedDos = zip.readUInt32LE(at + 12)
    const crc = zip.readUInt32LE(at + 16)
    const compressedBytes = zip.readUInt32LE(at + 20)
    const bytes = zip.readUInt32LE(at + 24)
    const nameLength = zip.readUInt16LE(at + 28)
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength)
    const mode = zip.readUInt32LE(at + 38) >>> 16
    const local = zip.readUInt32LE(at + 42)
    if (zip.readUInt32LE(local) !== localSignature) throw new Error(`${name}: no local header`)
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    const stored = zip.subarray(start, start + compressedBytes)
    if (method !== 0 && method !== 8) throw new Error(`${name}: compression ${method}`)
    const data = method === 8 ? inflateRawSync(stored) : Buffer.from(stored)
    if (data.length !== bytes) throw new Error(`${name}: ${data.length} bytes, not ${bytes}`)
    if (crc32(data) !== crc) throw new Error(`${name}: wrong CRC`)
    files.push({ name, mode, data, modifiedDos })
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  return files
}
