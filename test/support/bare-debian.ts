/**
 * A Debian with nothing but what every Debian has, and Node, as in the image node:20-slim: a folder that programs are started
 * in by chroot. debootstrap brings it once, into .data/debian; nothing of it is configured, which programs do not need.
 */

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { findProgram } from '../../scripts/simulators/mysql-server/server-program.ts'

const DEBIAN = 'bookworm'
const folder = path.join(projectFolder, '.data', 'debian')

/** Why there can be none here; `undefined` when there can. */
export function whyNoBareDebian(): string | undefined {
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0) {
    return 'it takes root on Linux, and the right to mount'
  }
  if (!existsSync(folder) && !findProgram('debootstrap')) {
    return 'there is no debootstrap (apt-get install debootstrap)'
  }
  return undefined
}

/** The folder. The first call takes a minute or two. */
export async function bareDebian(): Promise<string> {
  if (existsSync(folder)) return folder
  console.log(`debootstrap brings Debian ${DEBIAN} into .data/debian, once`)
  const aside = `${folder}.${process.pid}`
  await mkdir(path.dirname(folder), { recursive: true })
  try {
    await promisify(execFile)('debootstrap', ['--foreign', '--variant=minbase', DEBIAN, aside])
    for (const name of ['proc', 'debootstrap', 'var/cache/apt/archives', 'usr/share/doc']) {
      await rm(path.join(aside, name), { recursive: true, force: true })
    }
    await mkdir(path.join(aside, 'proc'))
    await mkdir(path.join(aside, 'home/node'), { recursive: true })
    await promisify(execFile)('chown', [`${NODE_ID}:${NODE_ID}`, path.join(aside, 'home/node')])
    await writeFile(path.join(aside, 'etc/passwd'), PASSWD)
    await addNode(aside)
    await rename(aside, folder)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  return folder
}

const NODE_ID = 1000
const PASSWD = `root:x:0:0::/root:/bin/sh\nnode:x:${NODE_ID}:${NODE_ID}::/home/node:/bin/sh\n`

/** The Node that runs this, and its npm, where the image has them; and how to find hosts. */
async function addNode(root: string): Promise<void> {
  const npm = path.join(path.dirname(process.execPath), '../lib/node_modules/npm')
  await cp(process.execPath, path.join(root, 'usr/local/bin/node'))
  await cp(npm, path.join(root, 'usr/local/lib/node_modules/npm'), { recursive: true })
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', path.join(root, 'usr/local/bin/npm'))
  for (const file of ['etc/resolv.conf', 'etc/hosts', 'etc/nsswitch.conf', CERTIFICATES]) {
    if (!existsSync(`/${file}`)) continue
    await cp(`/${file}`, path.join(root, file), { recursive: true, dereference: true })
  }
}

const CERTIFICATES = 'etc/ssl/certs/ca-certificates.crt'
/** Where a proxy with a certificate of its own stands between this machine and the registry. */
export const certificateEnvironment: Record<string, string> = process.env.NODE_EXTRA_CA_CERTS
  ? { NODE_EXTRA_CA_CERTS: `/${CERTIFICATES}` }
  : {}

export interface BareProcess {
  env: Record<string, string>
  workdir: string
  user: string
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Starts a program in there, with these variables and no others. */
export function startInBareDebian(
  root: string,
  command: readonly string[],
  { env, workdir, user }: BareProcess,
): ChildProcess {
  const home = user === 'root' ? '/root' : `/home/${user}`
  const variables = Object.entries({ PATH, HOME: home, ...env }).map(
    ([name, value]) => `${name}=${value}`,
  )
  const id = user === 'root' ? '0:0' : `${NODE_ID}:${NODE_ID}`
  const inside = ['env', '-i', '-C', workdir, ...variables, ...command]
  const entered = ['chroot', `--userspec=${id}`, root, ...inside]
  // The programs replace each other, so signals reach the last. The mount ends with it.
  const mounting = ['sh', '-c', 'mount -t proc proc "$0"/proc && exec "$@"', root]
  return spawn('unshare', ['--mount', ...mounting, ...entered], { env: { PATH } })
}

/** Runs one until it ends. @throws {Error} with its output when it fails */
export async function inBareDebian(
  root: string,
  command: readonly string[],
  options: BareProcess,
): Promise<string> {
  const child = startInBareDebian(root, command, options)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${output}`)
  return output
}
