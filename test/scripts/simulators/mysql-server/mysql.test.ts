import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findMySql } from '../../../../scripts/simulators/mysql-server/mysql.ts'
import { bringMySql } from '../../../../scripts/simulators/mysql-server/mysql-from-debian.ts'
import { findServer } from '../../../../scripts/simulators/mysql-server/private-server.ts'
import { startScript } from '../../../support/local-command.ts'
import { linesOnAbsent } from '../../../support/servers-global-setup.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ms-mysql-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

async function script(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return path
}

function saying(version: string): string {
  return `echo "mysqld  Ver ${version}"`
}

describe('the MySQL that is used', () => {
  const installed = (version: string) => script(join(folder, 'bin/mysqld'), saying(version))
  async function brought(triplet = 'x86_64-linux-gnu', linker = 'ld-linux-x86-64.so.2') {
    const root = join(folder, 'root/usr')
    await script(join(root, 'sbin/mysqld'), 'exit 1')
    await script(join(root, 'lib', triplet, linker), saying('9.7.4-2 for Linux'))
  }

  test('is the one installed, even where another was brought', async () => {
    await brought()
    const program = findMySql({ installed: await installed('8.0.46-0ubuntu1 for Linux'), folder })
    expect(program).toMatchObject({ origin: 'installed', version: '8.0.46-0ubuntu1' })
  })

  test.each([
    ['MariaDB, which goes by that name too', '10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu'],
    ['older than the stores are made for', '5.7.44 for Linux'],
    ['not to be made out', 'nothing'],
  ])('is the one brought when what is installed is %s', async (_what, version) => {
    await brought()
    const program = findMySql({ installed: await installed(version), folder })
    expect(program).toMatchObject({ origin: 'brought', version: '9.7.4-2' })
  })

  test.each([
    ['x86_64-linux-gnu', 'ld-linux-x86-64.so.2'],
    ['aarch64-linux-gnu', 'ld-linux-aarch64.so.1'],
  ])('runs by the linker it came with on %s', async (triplet, linker) => {
    await brought(triplet, linker)
    const program = findMySql({ installed: undefined, folder })
    expect(program?.command[0]).toBe(join(folder, 'root/usr/lib', triplet, linker))
    expect(program?.command).toContain(join(folder, 'root/usr/sbin/mysqld'))
  })

  test('is none where neither is there, nor where what is there does not run', async () => {
    expect(findMySql({ installed: undefined, folder })).toBeUndefined()
    const broken = await script(join(folder, 'bin/mysqld'), 'exit 127')
    expect(findMySql({ installed: broken, folder })).toBeUndefined()
  })

  test('of which there is none, a run says so in one line and names the command', () => {
    expect(linesOnAbsent(['MariaDB', 'MySQL'])).toEqual([])
    const lines = linesOnAbsent(['MariaDB'])
    expect(lines).toEqual([
      expect.stringMatching(/^No MySQL on this machine.*npm run mysql -- get/),
    ])
    expect(lines[0]).not.toContain('\n')
  })
})

/** apt-get and dpkg are played, so that nothing is downloaded: the first mirror has no sid, the second does. */
describe('bringing MySQL', () => {
  const mirrors = `case "$*" in *--print-uris*)
  echo "'cdrom://Debian_12/dists/bookworm/InRelease' Debian 0"
  echo "'http://tools.example/apt/dists/stable/InRelease' tools 0"
  echo "'http://debian.example/debian/dists/bookworm/InRelease' debian 0"
  echo "'http://debian.example/debian/dists/bookworm-updates/InRelease' debian 0"
  echo "'http://debian.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' packages 0"
  exit 0;;
esac`
  beforeEach(async () => {
    vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env.PATH}`)
    await script(
      join(folder, 'bin/apt-get'),
      `${mirrors}
configuration="$2"; here="$(dirname "$configuration")"
cat "$configuration" "$here/sources.list" >> "${folder}/apt-saw"
if grep -q tools.example "$here/sources.list"; then echo "E: no Release file" >&2; exit 100; fi
case "$*" in *install*)
  echo "dlstatus:1:41.7:Retrieving file 1 of 2"
  touch "$here/cache/archives/libc6.deb" "$here/cache/archives/mysql-server-core.deb";;
esac`,
    )
    await script(
      join(folder, 'bin/dpkg'),
      `mkdir -p "$3/usr/sbin" "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu"
touch "$3/usr/bin/perl" "$3/usr/sbin/mysqld"
printf '#!/bin/sh\\n${saying('9.7.4-2')}\\n' > "$3/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
chmod +x "$3/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"`,
    )
  })
  const target = () => join(folder, 'mysql')
  const bring = async () => {
    const lines: string[] = []
    const onProgress = (line: string) => void lines.push(line)
    const program = await bringMySql({ folder: target(), onProgress })
    return { program, lines }
  }

  test('takes the first of apt’s mirrors that has Debian sid, asks each once, and tells how far it is', async () => {
    const { program, lines } = await bring()
    expect(program).toMatchObject({ origin: 'brought', version: '9.7.4-2' })
    expect(lines).toContain('debian.example: 41 %, Retrieving file 1 of 2')
    expect(lines.at(-1)).toBe('Unpacking 2 of 2')
    const seen = await readFile(join(folder, 'apt-saw'), 'utf8')
    expect(seen).toMatch(/^deb (\[signed-by=\S+\] )?http:\/\/debian\.example\/debian sid main$/m)
    expect(lines.filter((line) => line.startsWith('Asking'))).toEqual([
      'Asking tools.example for Debian sid',
      'Asking debian.example for Debian sid',
    ])
  })

  test('leaves the server and what it needs, and nothing else', async () => {
    await bring()
    expect(await readdir(target())).toEqual(['root'])
    expect(await readdir(join(target(), 'root/usr'))).toEqual(['lib', 'sbin'])
  })

  test('lets apt write nowhere but beside it, and runs no hook of the machine', async () => {
    await bring()
    const seen = await readFile(join(folder, 'apt-saw'), 'utf8')
    const places = [...seen.matchAll(/^Dir::\S+ "(.*)";$/gm)].map(([, place = '']) => place)
    expect(places.length).toBeGreaterThan(5)
    for (const place of places.filter((each) => each.startsWith('/'))) {
      expect(place.startsWith(target())).toBe(true)
    }
    expect(seen).toContain('#clear APT::Update::Post-Invoke;')
  })

  test('from mirrors without it says what each answered and what else can be done, and leaves nothing', async () => {
    await script(join(folder, 'bin/apt-get'), `${mirrors}\necho "E: no Release file" >&2; exit 100`)
    const failure = await bring().then(() => '', String)
    expect(failure).toMatch(/could not be brought.*tests run on MariaDB/)
    expect(failure).toMatch(/^tools\.example: .*\n.*no Release file/m)
    expect(failure).toMatch(/^debian\.example: /m)
    expect(await readdir(target())).toEqual([])
  })

  test('from packages that do not run here says so', async () => {
    await script(join(folder, 'bin/dpkg'), 'mkdir -p "$3/usr/bin"')
    await expect(bring()).rejects.toThrow('does not run here')
  })

  test('where apt knows no mirror says so', async () => {
    await script(join(folder, 'bin/apt-get'), 'exit 0')
    await expect(bring()).rejects.toThrow('name no mirror')
  })
})

describe('npm run mysql', () => {
  test.each([
    [[], 'Usage: npm run mysql'],
    [['put'], 'Usage: npm run mysql'],
    [['get', 'now'], 'Usage: npm run mysql'],
    [['start', '--port', 'x'], '--port takes a port number'],
    [['start', '--speed', '9'], "Unknown option '--speed'"],
  ])('%j ends with 1 and says why', async (args, sentence) => {
    const command = startScript('mysql.ts', args)
    expect(await command.exited).toBe(1)
    expect(command.output()).toContain(sentence)
  })

  test.skipIf(!findServer('MySQL'))(
    'start prints a URL that answers, as MySQL with the options given, until Ctrl-C',
    async () => {
      const args = ['start', '--', '--max-connections=17']
      const command = startScript('mysql.ts', args)
      const [, url = ''] = await command.until(/^ready MySQL \S+ (mysql:\S+)$/m)
      const connection = await createConnection({ uri: url })
      const [rows] = await connection.query('select @@max_connections as most, version() as name')
      expect(rows).toEqual([{ most: 17, name: expect.not.stringContaining('MariaDB') }])
      await connection.end()
      command.signal('SIGINT')
      expect(await command.exited).toBe(0)
      await expect(createConnection({ uri: url })).rejects.toThrow()
    },
  )
})
