/** What a local run leaves in `.data/` for the next one, and for commands beside it. */

import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { projectFolder } from '../build/bundle.ts'

export const dataFolder = path.join(projectFolder, '.data')

/** Random secrets of this checkout, made at the first run and kept, so that tokens outlive a restart. */
export async function localSecrets(folder: string = dataFolder): Promise<Record<string, string>> {
  const file = path.join(folder, 'local-secrets.json')
  const known = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Record<string, string>,
    () => ({}),
  )
  const key = (): string => `local:${randomBytes(32).toString('base64url')}`
  const secrets = {
    TOKEN_KEYS: key(),
    SEALING_KEYS: key(),
    LOOKUP_KEY: randomBytes(32).toString('base64url'),
    WECHAT_APPID: 'wx00000000000local',
    WECHAT_SECRET: randomBytes(16).toString('hex'),
    ...known,
  }
  await mkdir(folder, { recursive: true })
  await writeFile(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 })
  return secrets
}

const RUNNING_FILE = 'running.json'

export interface Addresses {
  DATABASE_URL: string
  WECHAT_API_URL: string
}

/** Leaves word of where a running `offline` has its database and its WeChat; resolves to how to take that back. */
export async function announceRunning(
  { DATABASE_URL, WECHAT_API_URL }: Addresses,
  folder: string = dataFolder,
): Promise<() => Promise<void>> {
  const file = path.join(folder, RUNNING_FILE)
  await writeFile(file, JSON.stringify({ DATABASE_URL, WECHAT_API_URL }), { mode: 0o600 })
  return () => rm(file, { force: true })
}

/**
 * The addresses of the `offline` that runs on this folder, if one answers and both are its own: what it was told to use
 * in their place (`--database`, `--wechat`) each command has to be told for itself.
 */
export async function runningAddresses(
  folder: string = dataFolder,
): Promise<Addresses | undefined> {
  try {
    const addresses = JSON.parse(
      await readFile(path.join(folder, RUNNING_FILE), 'utf8'),
    ) as Addresses
    const hosts = Object.values(addresses).map((address) => new URL(address).hostname)
    if (hosts.some((host) => host !== '127.0.0.1')) return undefined
    await fetch(new URL('/sim', addresses.WECHAT_API_URL), { signal: AbortSignal.timeout(500) })
    return addresses
  } catch {
    return undefined
  }
}
