/**
 * The environment of a local run: what is set stays, what is missing gets a local default, and the
 * secrets among those are random and kept in .data/, so that tokens outlive a restart.
 */

import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { projectFolder } from '../build/bundle.ts'

export const dataFolder = path.join(projectFolder, '.data')

/** Reads `.env` beside package.json into process.env, which wins. Nothing happens without the file. */
export function loadDotenv(): void {
  try {
    process.loadEnvFile(path.join(projectFolder, '.env'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Random secrets of this checkout, made at the first run. */
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

/** The variables of one function out of everything that is known. */
export function pickVariables(
  names: readonly string[],
  environment: Record<string, string | undefined>,
): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const name of names) {
    const value = environment[name]
    if (value) picked[name] = value
  }
  return picked
}

const RUNNING_FILE = 'running.json'

/** Leaves word of where a running `offline` has its database and its WeChat; resolves to how to take that back. */
export async function announceRunning(
  folder: string,
  addresses: { DATABASE_URL: string; WECHAT_API_URL: string },
): Promise<() => Promise<void>> {
  const file = path.join(folder, RUNNING_FILE)
  await writeFile(file, JSON.stringify(addresses), { mode: 0o600 })
  return () => rm(file, { force: true })
}

/** The addresses of the `offline` that runs on this folder, if one answers. */
export async function runningAddresses(
  folder: string = dataFolder,
): Promise<Record<string, string>> {
  try {
    const text = await readFile(path.join(folder, RUNNING_FILE), 'utf8')
    const addresses = JSON.parse(text) as Record<string, string>
    await fetch(new URL('/sim', addresses.WECHAT_API_URL), { signal: AbortSignal.timeout(500) })
    return addresses
  } catch {
    return {}
  }
}
