/**
 * The peers' programs, where they run: copied from `peers/` into `.data/bench-peers`, beside the libraries they are written with,
 * which npm installs there. They are JavaScript and Python as a project of theirs would have it, and no part of this one's build.
 */

import { execFileSync, spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { build } from 'esbuild'
import { projectFolder } from '../build/bundle.ts'
import { dataFolder } from '../cli/data-folder.ts'
import { bareEnvironment } from './machine.ts'

const peersFolder = path.join(projectFolder, 'scripts/bench/peers')
const installedFolder = path.join(dataFolder, 'bench-peers')

export interface PeerPrograms {
  /** Event functions as they are deployed, CommonJS with a `main_handler`. */
  express: string
  hono: string
  /** Undefined where no Python has Flask, PyMySQL and PyJWT. */
  flask: { python: string; app: string; answers: string } | undefined
}

/** What the peers need beside a DATABASE_URL; their tokens are signed with a secret of their own. */
export interface PeerCredentials {
  JWT_SECRET: string
  token: string
}

export const withoutFlask =
  'no Python with Flask, PyMySQL and PyJWT here (apt-get install python3-flask python3-pymysql python3-jwt)'

/** @param folder for the bundle. @throws {Error} when npm cannot install the libraries */
export async function bringPeers(
  folder: string,
  progress: (line: string) => void,
): Promise<PeerPrograms> {
  await mkdir(installedFolder, { recursive: true })
  await cp(peersFolder, installedFolder, { recursive: true })
  if (!(await areLibrariesThere())) {
    progress(`peers: npm ci in ${path.relative(projectFolder, installedFolder)}, some 20 MB`)
    await installLibraries()
  }
  const hono = path.join(folder, 'hono.cjs')
  await build({
    entryPoints: [path.join(installedFolder, 'hono.mjs')],
    outfile: hono,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'silent',
  })
  const python = findPython()
  const inFolder = (name: string): string => path.join(installedFolder, name)
  return {
    express: inFolder('express.cjs'),
    hono,
    flask:
      python === undefined
        ? undefined
        : { python, app: inFolder('flask_app.py'), answers: inFolder('flask_answers.py') },
  }
}

/** @param userId whom the token is about, as 32 hexadecimal digits */
export function peerCredentials(userId: string): PeerCredentials {
  const JWT_SECRET = randomBytes(32).toString('base64url')
  const inBase64 = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const sub = userId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  const iat = Math.floor(Date.now() / 1000)
  const signed = `${inBase64({ alg: 'HS256', typ: 'JWT' })}.${inBase64({ sub, iat, exp: iat + 86_400 })}`
  const mac = createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')
  return { JWT_SECRET, token: `${signed}.${mac}` }
}

/** Whether each is installed in the version that `package.json` names. */
async function areLibrariesThere(): Promise<boolean> {
  const readJson = async (name: string) =>
    JSON.parse(await readFile(path.join(installedFolder, name), 'utf8'))
  const { dependencies } = (await readJson('package.json')) as {
    dependencies: Record<string, string>
  }
  const found = await Promise.all(
    Object.entries(dependencies).map(async ([name, wanted]) => {
      const installed = await readJson(`node_modules/${name}/package.json`).catch(() => ({}))
      return (installed as { version?: string }).version === wanted
    }),
  )
  return found.every(Boolean)
}

async function installLibraries(): Promise<void> {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const isWindows = process.platform === 'win32'
  const npm = spawn('npm', args, {
    cwd: installedFolder,
    shell: isWindows,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(npm, 'exit')
  if (code !== 0)
    throw new Error(
      `The libraries of the peers could not be installed: npm ci ended with ${code}. It needs the npm registry once.`,
    )
}

/** The first of `python3` on the PATH and the system's own that has what the app imports. */
function findPython(): string | undefined {
  return ['python3', '/usr/bin/python3'].find((python) => {
    try {
      execFileSync(python, ['-c', 'import flask, pymysql, jwt'], {
        env: bareEnvironment(),
        stdio: 'ignore',
      })
      return true
    } catch {
      return false
    }
  })
}
