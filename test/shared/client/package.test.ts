import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../../../scripts/build/bundle.ts'
import { buildClient, clientBundle } from '../../../scripts/build/client.ts'
import { clientContract } from '../../../scripts/build/client-contract.ts'
import { createFakePhone } from '../../support/fake-phone.ts'
import { packForMiniProgram } from '../../support/npm-for-mini-programs.ts'

/** 8 KiB: what a mini program pays for it, of the 2 MB that all its code may have. */
const BYTES_MAX = 8 * 1024

let folder: string
let built: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-client-'))
  built = (await buildClient({ outdir: folder })).folder
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the client’s source', () => {
  test('has the types that the endpoints have now; npm run build brings them up to date', async () => {
    const committed = await readFile(path.join(projectFolder, 'shared/client/contract.ts'), 'utf8')
    expect(committed).toBe(clientContract())
  })

  test('imports nothing but itself, and types', async () => {
    const { metafile } = await build({ ...clientBundle('esm'), write: false, metafile: true })
    const strangers = Object.keys(metafile?.inputs ?? {}).filter(
      (file) => !file.startsWith('shared/client/'),
    )
    expect(strangers).toEqual([])
    for (const { imports } of Object.values(metafile?.inputs ?? {})) {
      expect(imports.filter(({ external }) => external)).toEqual([])
    }
  })
})

describe('dist/client', () => {
  test.each(['index.js', 'index.mjs'])('%s is one file of at most 8 KiB', async (name) => {
    const source = await readFile(path.join(built, name), 'utf8')
    expect(Buffer.byteLength(source)).toBeLessThanOrEqual(BYTES_MAX)
    expect(source).not.toMatch(/\brequire\(|\bimport\b/)
  })

  test('runs on engines of 2018: no newer syntax is in it', async () => {
    const source = await readFile(path.join(built, 'index.js'), 'utf8')
    expect(source).not.toMatch(/\?\.[a-z(]|\?\?|\bcatch\{|#[a-z]+\b/)
  })

  test('is an ES module as well, with the same exports', async () => {
    const module = (await import(pathToFileURL(path.join(built, 'index.mjs')).href)) as object
    expect(Object.keys(module).sort()).toEqual(['ClientError', 'createAbort', 'createClient'])
  })

  test('has types that need neither this project nor a library nor the DOM', async () => {
    const project = path.join(folder, 'typed')
    await cp(built, path.join(project, 'node_modules/miniscore-client'), { recursive: true })
    await writeFile(
      path.join(project, 'app.ts'),
      `import { ClientError, createClient, type Rating } from 'miniscore-client'
const client = createClient({ baseUrl: 'https://example.com' })
export async function first(): Promise<Rating | undefined> {
  const { id } = await client.submit({ acc_nbr: '1', grade1: 5, grade2: 4, grade3: 3 })
  // @ts-expect-error a grade is a number
  client.submit({ acc_nbr: '1', grade1: '5', grade2: 4, grade3: 3 })
  // @ts-expect-error there is no such call
  client.vote(id)
  try {
    return (await client.query('1')).items[0]
  } catch (error) {
    if (error instanceof ClientError && error.code === 'too-many-requests') return undefined
    throw error
  }
}
`,
    )
    const tsc = path.join(projectFolder, 'node_modules/typescript/bin/tsc')
    const options = [
      '--strict',
      '--noEmit',
      '--lib',
      'es2018',
      '--types',
      '',
      '--module',
      'nodenext',
    ]
    const checked = promisify(execFile)(
      process.execPath,
      [tsc, ...options, '--target', 'es2018', 'app.ts'],
      {
        cwd: project,
      },
    )
    await expect(checked.catch(({ stdout }) => stdout)).resolves.toMatchObject({ stdout: '' })
  })
})

describe('WeChat’s 构建 npm', () => {
  /** A mini program that has installed the package. */
  async function installed(name: string, change?: (folder: string) => Promise<void>) {
    const project = path.join(folder, name)
    const packed = path.join(project, 'node_modules/miniscore-client')
    await mkdir(project, { recursive: true })
    await cp(built, packed, { recursive: true })
    await writeFile(
      path.join(project, 'package.json'),
      JSON.stringify({ dependencies: { 'miniscore-client': '*' } }),
    )
    await change?.(packed)
    return project
  }
  const changeManifest = (changes: object) => async (packed: string) => {
    const file = path.join(packed, 'package.json')
    const manifest = JSON.parse(await readFile(file, 'utf8')) as object
    await writeFile(file, JSON.stringify({ ...manifest, ...changes }))
  }

  test('packs it from its main, and the packed file runs in a mini program', async () => {
    const project = await installed('good')
    await packForMiniProgram(project)
    const file = path.join(project, 'miniprogram_npm/miniscore-client/index.js')
    const phone = createFakePhone({ issueCode: async () => '' })
    const { createClient } = phone.open<{ createClient(options: object): object }>(
      await readFile(file, 'utf8'),
    )
    expect(Object.keys(createClient({ baseUrl: 'https://example.com' }))).toContain('submit')
  })

  test.each([
    ['a main that is not there', { main: 'lib/index.js' }, 'entry file is not found'],
    [
      'no main but an ES module',
      { main: undefined, module: 'index.mjs' },
      'entry file is not found',
    ],
    ['an ES module as its main', { main: 'index.mjs' }, 'is no CommonJS'],
  ])('would not pack it with %s', async (_what, manifest, message) => {
    const project = await installed(
      message.replaceAll(' ', '-') + JSON.stringify(manifest).length,
      async (packed) => {
        await changeManifest(manifest)(packed)
        if (!('main' in manifest) || manifest.main === undefined)
          await rm(path.join(packed, 'index.js'))
      },
    )
    await expect(packForMiniProgram(project)).rejects.toThrow(message)
  })

  test('takes the whole repository too, whose package.json names the folder to copy', async () => {
    const { miniprogram, exports } = JSON.parse(
      await readFile(path.join(projectFolder, 'package.json'), 'utf8'),
    ) as { miniprogram: string; exports: Record<string, Record<string, string>> }
    expect(miniprogram).toBe('dist/client')
    const names = await readdir(built)
    for (const target of Object.values(exports['./client'] ?? {})) {
      expect(path.posix.dirname(target)).toBe('./dist/client')
      expect(names).toContain(path.posix.basename(target))
    }
    const project = path.join(folder, 'whole')
    const packed = path.join(project, 'node_modules/miniscore')
    await cp(built, path.join(packed, miniprogram), { recursive: true })
    await cp(path.join(projectFolder, 'package.json'), path.join(packed, 'package.json'))
    await writeFile(path.join(project, 'package.json'), '{"dependencies":{"miniscore":"*"}}')
    await packForMiniProgram(project)
    expect(await readdir(path.join(project, 'miniprogram_npm/miniscore'))).toContain('index.js')
  })
})
