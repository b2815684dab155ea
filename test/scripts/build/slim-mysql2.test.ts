import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, type Plugin } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { slimMysql2 } from '../../../scripts/build/slim-mysql2.ts'
import { selfSignedCertificate } from '../../../scripts/simulators/self-signed-certificate.ts'
import { describeOnOwnServers } from '../../support/server-suites.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'ms-slim-'))
const bundlePath = join(folder, 'door.cjs')
const { certificate, key } = selfSignedCertificate(['localhost'])
const certificatePath = join(folder, 'certificate.pem')
const keyPath = join(folder, 'key.pem')
writeFileSync(certificatePath, certificate)
writeFileSync(keyPath, key, { mode: 0o600 })
const serverOptions = [`--ssl-cert=${certificatePath}`, `--ssl-key=${keyPath}`]
afterAll(() => rmSync(folder, { recursive: true }))

function bundle(outfile: string, plugins: Plugin[], contents: string) {
  return build({
    stdin: { contents, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    metafile: true,
    logLevel: 'silent',
    outfile,
    plugins,
  })
}

const DOOR = `export { openMySql } from './shared/store/mysql.ts'`

beforeAll(async () => {
  await bundle(bundlePath, [slimMysql2()], DOOR)
})

describe('mysql2 in a bundle', () => {
  test('has neither character set tables nor certificates nor error names, and stays small', () => {
    const text = readFileSync(bundlePath, 'utf8')
    for (const left of ['BEGIN CERTIFICATE', 'ER_ABORTING_CONNECTION', 'gb18030', 'createPool']) {
      expect(text).not.toContain(left)
    }
    expect(text).not.toMatch(/new Function|require\("(zlib|tls|perf_hooks)"\)/)
    expect(text.length).toBeLessThan(140_000)
  })

  test('would have all of that without the plugin', async () => {
    const fullPath = join(folder, 'full.cjs')
    await bundle(fullPath, [], DOOR)
    const text = readFileSync(fullPath, 'utf8')
    for (const left of ['BEGIN CERTIFICATE', 'ER_ABORTING_CONNECTION', 'gb18030', 'createPool']) {
      expect(text).toContain(left)
    }
  })

  test('leaves a bundle without mysql2 alone', async () => {
    await bundle(join(folder, 'none.cjs'), [slimMysql2()], 'export const a = 1')
  })

  test('is refused by the build when mysql2 no longer has a module that the plugin replaces', async () => {
    const root = createRequire(import.meta.url).resolve('mysql2/package.json')
    const moved: Plugin = {
      name: 'moved',
      setup(setup) {
        setup.onLoad({ filter: /mysql2[\\/]lib[\\/]connection_config\.js$/ }, ({ path }) => ({
          contents: readFileSync(path, 'utf8').replace('./constants/charsets', './constants/types'),
          resolveDir: join(root, '../lib'),
        }))
        setup.onLoad({ filter: /static_(text|binary)_parser\.js$/ }, () => ({ contents: '' }))
      },
    }
    const built = bundle(join(folder, 'moved.cjs'), [moved, slimMysql2()], DOOR)
    await expect(built).rejects.toThrow('no longer loads lib/constants/charsets.js')
  })
})

describeOnOwnServers(
  'the slim bundle',
  (server) => {
    test.each(['without TLS', 'with TLS'])(
      'speaks with a real server %s, and lets the process end by itself',
      async (how) => {
        const url = new URL(await server().createDatabase())
        if (how === 'with TLS') {
          url.hostname = 'localhost'
          url.search = `?ssl=true&ssl-ca=${certificatePath}`
        }
        const script = `
      const { openMySql } = require(process.argv[1])
      const clocks = { now: Date.now, steadyMs: () => performance.now(), random: Math.random }
      const db = openMySql({ ...clocks, url: process.argv[2], connections: 1 }).within(() => 5000)
      const bytes = new Uint8Array([0, 255, 128])
      const main = async () => {
        await db.query('create table t (id binary(3) primary key, text_ text, big bigint)')
        await db.query('insert into t values (?, ?, ?)', [bytes, '😀密é', -(2n ** 63n)])
        const { rows } = await db.query('select id, text_, big, @@version v, now() at_, 1.5e0 r, 2 / 3 d from t')
        const duplicate = await db.query('insert into t values (?, ?, ?)', [bytes, 'x', 1]).catch((e) => e.errno)
        const kept = await db.transaction((t) => t.query('select count(*) n from t'))
        console.log(JSON.stringify({ row: { ...rows[0], id: [...rows[0].id] }, duplicate, n: kept.rows[0].n }))
      }
      main()`
        const env = { PATH: process.env.PATH }
        const { stdout, stderr } = await run(
          process.execPath,
          ['-e', script, bundlePath, url.href],
          {
            env,
            timeout: 10_000,
          },
        )
        expect(stderr).toBe('')
        expect(JSON.parse(stdout)).toMatchObject({
          row: {
            id: [0, 255, 128],
            text_: '😀密é',
            big: '-9223372036854775808',
            r: 1.5,
            d: '0.6667',
          },
          duplicate: 1062,
          n: 1,
        })
        expect(stdout).toMatch(/"at_":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"/)
      },
    )
  },
  { serverOptions },
)
