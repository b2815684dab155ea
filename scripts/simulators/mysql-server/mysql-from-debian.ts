/**
 * Brings a real MySQL to a Debian that has none: Debian's stable releases carry MariaDB only, *sid* carries
 * MySQL. An apt with folders of its own downloads it and the libraries it needs, from the mirror
 * this machine uses anyway; they are unpacked, not installed, so the machine's packages stay as they are.
 */

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findMySql, type MySqlProgram, mySqlFolder, UNPACKED } from './mysql.ts'
import { findProgram, runProgram } from './server-program.ts'

const PACKAGE = 'mysql-server-core'
/** What the server runs on; perl, manuals and other tools came along and are a third of all. */
const NEEDLESS = ['etc', 'var', 'usr/bin', 'usr/include', 'usr/share/doc', 'usr/share/man']

const OTHER_WAYS =
  'Install one (Ubuntu: apt-get install mysql-server-core-8.0; macOS: brew install mysql), or set TEST_DATABASE_URL; without MySQL, tests run on MariaDB.'

export interface BringOptions {
  /** Where it shall lie. */
  folder?: string
  /** Hears of each step, in a line. */
  onProgress: (line: string) => void
}

/** @returns the program, ready to start. @throws {Error} with a sentence on what to do, when it cannot be had */
export async function bringMySql({
  folder = mySqlFolder,
  onProgress,
}: BringOptions): Promise<MySqlProgram> {
  if (!findProgram('apt-get') || !findProgram('dpkg')) {
    throw new Error(`This machine has no apt-get to bring MySQL with. ${OTHER_WAYS}`)
  }
  const mirrors = await knownMirrors()
  if (mirrors.length === 0) {
    throw new Error(`This machine's apt sources name no mirror to bring MySQL from. ${OTHER_WAYS}`)
  }
  await mkdir(folder, { recursive: true })
  const aside = await mkdtemp(join(folder, 'bringing-'))
  try {
    const root = join(aside, UNPACKED)
    await unpack(await download(mirrors, aside, onProgress), root, onProgress)
    await rm(join(folder, UNPACKED), { recursive: true, force: true })
    await rename(root, join(folder, UNPACKED))
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  const brought = findMySql({ installed: undefined, folder })
  if (!brought) throw new Error(`The MySQL in ${folder} does not run here. ${OTHER_WAYS}`)
  return brought
}

/** The archives that this machine's apt asks. Which of them are Debian's does not show; only those have a suite `sid`. */
async function knownMirrors(): Promise<string[]> {
  const asked = await runProgram('apt-get', ['--print-uris', 'update'])
  const releases = asked.matchAll(/^'(?!cdrom:)(\S+?)\/dists\/\S+\/InRelease'/gm)
  return [...new Set([...releases].map(([, mirror = '']) => mirror))]
}

/** @returns the downloaded packages' files */
async function download(
  mirrors: readonly string[],
  aside: string,
  onProgress: (line: string) => void,
): Promise<string[]> {
  const failures: string[] = []
  for (const mirror of mirrors) {
    const { host } = new URL(mirror)
    const tell = (line: string): void => {
      // `dlstatus:3:41.7:Retrieving file 3 of 55`, https://salsa.debian.org/apt-team/apt README.progress-reporting
      const [, percent = '', what = ''] = /^dlstatus:[^:]*:([^:]*):(.*)/.exec(line) ?? []
      if (what) onProgress(`${host}: ${Math.floor(Number(percent))} %, ${what}`)
    }
    try {
      onProgress(`Asking ${host} for Debian sid`)
      const apt = ['--config-file', await privateConfiguration(mirror, aside), '--quiet=2', '--yes']
      await runProgram('apt-get', [...apt, 'update'], tell)
      const install = ['install', '--download-only', '--no-install-recommends', PACKAGE]
      await runProgram('apt-get', [...apt, ...install], tell)
      const archives = join(aside, 'cache/archives')
      const names = (await readdir(archives)).filter((name) => name.endsWith('.deb'))
      return names.map((name) => join(archives, name))
    } catch (error) {
      failures.push(`${host}: ${error instanceof Error ? error.message : error}`)
    }
  }
  throw new Error(`MySQL could not be brought. ${OTHER_WAYS}\n${failures.join('\n')}`)
}

/** Where Debian's own package lays the keys of its archive; without it apt's trusted keys decide. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** A configuration by which apt-get reads nothing of the machine's but keys and proxies, and writes below `aside` only. */
async function privateConfiguration(mirror: string, aside: string): Promise<string> {
  for (const name of ['parts', 'lists', 'cache']) {
    await rm(join(aside, name), { recursive: true, force: true })
  }
  for (const name of ['parts', 'lists/partial', 'cache/archives/partial']) {
    await mkdir(join(aside, name), { recursive: true })
  }
  const signedBy = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : ''
  await writeFile(join(aside, 'sources.list'), `deb ${signedBy}${mirror} sid main\n`)
  await writeFile(join(aside, 'status'), '')
  const configuration = join(aside, 'apt.conf')
  await writeFile(
    configuration,
    `// Hooks of the machine's own apt, such as those of Debian's container images, clear its caches.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Etc::sourcelist "${aside}/sources.list";
Dir::Etc::sourceparts "${aside}/parts";
Dir::State::lists "${aside}/lists";
Dir::State::status "${aside}/status";
Dir::State::extended_states "${aside}/extended_states";
Dir::Cache "${aside}/cache";
Dir::Cache::archives "archives";
// The user that apt takes for downloads may not write here.
APT::Sandbox::User "root";
// Otherwise an update that reached nobody counts as one.
APT::Update::Error-Mode "any";
APT::Status-Fd "1";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
`,
  )
  return configuration
}

async function unpack(
  packages: readonly string[],
  root: string,
  onProgress: (line: string) => void,
): Promise<void> {
  await mkdir(dirname(root), { recursive: true })
  for (const [index, file] of packages.entries()) {
    onProgress(`Unpacking ${index + 1} of ${packages.length}`)
    await runProgram('dpkg', ['--extract', file, root])
  }
  for (const name of NEEDLESS) await rm(join(root, name), { recursive: true, force: true })
}
