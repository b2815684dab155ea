/**
 * The SQLite file of the offline PlanetScale. sql.js works in memory; after each commit the whole
 * image is written beside the file and renamed over it, so that a reader finds the old or the new
 * state and never half of one. What was acknowledged survives `kill -9`; against a loss of power
 * there is no fsync. One process at a time: a `.lock` file beside it holds the process id.
 */
import { readFileSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface SqliteFile {
  /** The stored image, or undefined when there is no file yet. */
  readonly image: Uint8Array | undefined
  /** Resolves when this image, or a newer one, is in the file. */
  save(image: Uint8Array): Promise<void>
  close(): Promise<void>
}

const HEADER = 'SQLite format 3\0'

/** @throws {Error} in words, when the file is no SQLite file, cannot be read, or is in use */
export async function openSqliteFile(path: string): Promise<SqliteFile> {
  await mkdir(dirname(path), { recursive: true })
  await takeLock(path)
  try {
    return fileSaver(path, await readImage(path))
  } catch (error) {
    await rm(`${path}.lock`, { force: true })
    throw error
  }
}

async function readImage(path: string): Promise<Uint8Array | undefined> {
  let image: Buffer
  try {
    image = await readFile(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new Error(`${path} cannot be read (${codeOf(error)})`)
  }
  if (image.length === 0) return undefined
  if (image.subarray(0, HEADER.length).toString('latin1') !== HEADER) {
    throw new Error(`${path} is not an SQLite file; move it away or choose another path`)
  }
  return image
}

function fileSaver(path: string, image: Uint8Array | undefined): SqliteFile {
  const temporaryPath = `${path}.${process.pid}.tmp`
  let latest: Uint8Array | undefined
  let writing: Promise<void> | undefined
  let queued: Promise<void> | undefined

  const write = async (): Promise<void> => {
    const current = latest
    if (current === undefined) return
    latest = undefined
    try {
      await writeFile(temporaryPath, current)
      await rename(temporaryPath, path)
    } catch (error) {
      latest ??= current
      await rm(temporaryPath, { force: true })
      throw new Error(`${path} cannot be written (${codeOf(error)})`)
    }
  }
  const start = (): Promise<void> => {
    writing = write().finally(() => {
      writing = undefined
    })
    return writing
  }
  /** One write runs, at most one more is queued; the queued one takes the newest image. */
  const save = (next: Uint8Array): Promise<void> => {
    latest = next
    if (writing === undefined) return start()
    queued ??= writing
      .catch(() => undefined)
      .then(() => {
        queued = undefined
        return start()
      })
    return queued
  }
  return {
    image,
    save,
    async close() {
      try {
        await Promise.all([writing, queued].map((pending) => pending?.catch(() => undefined)))
        if (latest !== undefined) await start()
      } finally {
        await rm(`${path}.lock`, { force: true })
      }
    },
  }
}

async function takeLock(path: string): Promise<void> {
  const lockPath = `${path}.lock`
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await open(lockPath, 'wx')
      await handle.writeFile(String(process.pid))
      await handle.close()
      return
    } catch (error) {
      if (codeOf(error) !== 'EEXIST')
        throw new Error(`${path} cannot be written (${codeOf(error)})`)
      const owner = lockOwner(lockPath)
      if (owner !== undefined && isAlive(owner)) {
        throw new Error(
          `${path} is in use by process ${owner}; stop it, or remove ${lockPath} if that is wrong`,
        )
      }
      await rm(lockPath, { force: true })
    }
  }
  throw new Error(`${path} is in use`)
}

function lockOwner(lockPath: string): number | undefined {
  try {
    const owner = Number(readFileSync(lockPath, 'utf8'))
    return Number.isInteger(owner) && owner > 0 ? owner : undefined
  } catch {
    return undefined
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
