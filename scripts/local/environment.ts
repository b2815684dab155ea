/**
 * The environment of a local run: what is set stays, what is missing gets a local default, and the
 * secrets among those are random and kept in .data/, so that tokens outlive a restart.
 */

import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { projectFolder } from '../build.ts'

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
