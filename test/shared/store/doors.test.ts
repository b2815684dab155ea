import { createRequire } from 'node:module'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { bundleFunction, bundleSettings } from '../../../scripts/build/bundle.ts'
import {
  checkDatabaseUrl,
  openDatabase,
  type StoreDoor,
  storeDoorOf,
  storeDoors,
} from '../../../shared/store/doors.ts'
import { machine } from '../../../shared/wiring/clock.ts'

const urls: Record<StoreDoor, string> = {
  planetscale: 'https://user:s3cret@host',
  mysql: 'mysql://user:s3cret@host/db',
}
const options = (url: string) => ({ ...machine, url, connections: 1 })

describe('a database URL', () => {
  test.each(storeDoors)('of %s leads to its driver, however its scheme is written', (door) => {
    expect(storeDoorOf(urls[door])).toBe(door)
    expect(storeDoorOf(urls[door].replace(/^\w+/, (scheme) => scheme.toUpperCase()))).toBe(door)
  })

  test('leads to PlanetScale on this machine, and so do bundles built without any', () => {
    expect(storeDoorOf('http://user:password@127.0.0.1:1')).toBe('planetscale')
    expect(storeDoorOf(undefined)).toBe('planetscale')
    expect(storeDoorOf('')).toBe('planetscale')
  })

  test.each([
    'postgres://user:s3cret@host/db',
    'user:s3cret@host',
    'mysqlx://host',
    'sqlite:s3cret',
  ])('like %s that no driver is for is refused, not shown', async (url) => {
    const refusal = expect.objectContaining({ code: 'scheme' })
    expect(() => storeDoorOf(url)).toThrow(refusal)
    expect(() => storeDoorOf(url)).not.toThrow('s3cret')
    expect(() => checkDatabaseUrl(url)).toThrow('no driver is for')
    await expect(openDatabase(options(url))).rejects.toEqual(refusal)
  })
})

describe.each(storeDoors)('a bundle built for %s', (door) => {
  const others = storeDoors.filter((other) => other !== door)

  test('carries that driver and no other', async () => {
    const { metafile } = await bundleFunction('submit-score', {
      storeDoor: door,
      outdir: `dist/doors-${door}`,
    })
    const carried = Object.values(metafile.outputs)
      .flatMap(({ inputs }) => Object.entries(inputs))
      .flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? file : []))
    expect(carried).toContain(`shared/store/${door}.ts`)
    for (const other of others) expect(carried).not.toContain(`shared/store/${other}.ts`)
  })

  test('refuses the URL of any other, as one it was not built for', async () => {
    const settings = bundleSettings('submit-score', { storeDoor: door, outdir: 'dist' })
    const { outputFiles } = await build({
      ...settings,
      entryPoints: ['shared/store/doors.ts'],
      footer: {},
      write: false,
    })
    const module = { exports: {} as typeof import('../../../shared/store/doors.ts') }
    const load = new Function('require', 'module', 'exports', outputFiles?.[0]?.text ?? '')
    load(createRequire(import.meta.url), module, module.exports)
    module.exports.checkDatabaseUrl(urls[door])
    for (const other of others) {
      expect(() => module.exports.checkDatabaseUrl(urls[other])).toThrow('needs another driver')
      await expect(module.exports.openDatabase(options(urls[other]))).rejects.toMatchObject({
        code: 'other-door',
      })
    }
  })
})
