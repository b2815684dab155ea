import { readFileSync } from 'node:fs'
import path from 'node:path'
import { jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { costOf } from '../../../scripts/bench/cost.ts'
import type { Bar, Figure } from '../../../scripts/bench/figure.ts'
import { peerCredentials } from '../../../scripts/bench/peer-programs.ts'
import { renderPicture } from '../../../scripts/bench/picture.ts'
import { projectFolder } from '../../../scripts/build/bundle.ts'

interface Manifest {
  dependencies: Record<string, string>
}

const readManifest = (file: string): Manifest & { packages?: Record<string, Manifest> } =>
  JSON.parse(readFileSync(path.join(projectFolder, file), 'utf8'))

describe('the peers', () => {
  const { dependencies } = readManifest('scripts/bench/peers/package.json')

  test('are written with exact versions, those of the lock', () => {
    for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    const { packages } = readManifest('scripts/bench/peers/package-lock.json')
    expect(packages?.['']?.dependencies).toEqual(dependencies)
  })

  test('have the very libraries we have, where they use the same', () => {
    const ours = readManifest('package.json').dependencies
    const shared = Object.keys(ours).filter((name) => name in dependencies)
    expect(shared).toEqual(['jose', 'mysql2', 'uuid', 'valibot'])
    for (const name of shared) expect(dependencies[name]).toBe(ours[name])
  })

  test('get a token that jose takes, about the person whose ratings are read', async () => {
    const { JWT_SECRET, token } = peerCredentials('018a0000000070008000000000000001')
    const { payload } = await jwtVerify(token, new TextEncoder().encode(JWT_SECRET))
    expect(payload.sub).toBe('018a0000-0000-7000-8000-000000000001')
  })
})

describe('the picture', () => {
  const figure = (bar?: Bar): Figure => ({
    benchmark: 'peers',
    what: 'something',
    value: 1,
    unit: '×',
    detail: '',
    ...(bar ? { bar } : {}),
  })
  const figures = [
    figure({ chart: 'Queries/s', label: 'ours', length: 4000 }),
    figure({ chart: 'Queries/s', label: 'A & <B>', length: 1000 }),
    figure({ chart: 'First query, ms', label: 'ours', length: 50 }),
    figure(),
  ]
  const svg = renderPicture(figures, {
    title: 'Ours & others',
    emphasized: 'ours',
    caption: 'here and today',
  })

  test('has a bar for each figure that has one, as long as its part of the longest', () => {
    const widths = [...svg.matchAll(/<rect x=.* width="([\d.]+)" height="15"/g)].map(([, width]) =>
      Number(width),
    )
    expect(widths).toHaveLength(3)
    expect((widths[0] ?? 0) / (widths[1] ?? 0)).toBeCloseTo(4)
    expect(widths[2]).toBe(widths[0])
  })

  test('says what it shows, as text that is safe in XML', () => {
    for (const text of [
      'Queries/s',
      'First query, ms',
      'A &amp; &lt;B&gt;',
      '4,000',
      'here and today',
    ])
      expect(svg).toContain(`>${text}</text>`)
    expect(svg).toContain('<title>Ours &amp; others</title>')
    expect(svg.match(/<text [^>]*bold[^>]*>ours</g)).toHaveLength(1)
  })

  test('is not drawn of figures that have no bars', () => {
    const draw = () => renderPicture([figure()], { title: '', emphasized: 'ours', caption: '' })
    expect(draw).toThrow('--svg is for peers')
  })
})

describe('the estimate', () => {
  test('bills the platform’s own example: 256 MB for 1760 ms are 0.44 GBs', () => {
    const { compute } = costOf(1, { durationMs: 1760, memorySizeMb: 256, answerBytes: 0 })
    expect(compute).toBeCloseTo(0.44 * 0.0000167, 12)
  })

  test('counts a part of a millisecond as one, and adds up to the whole', () => {
    const call = { memorySizeMb: 128, answerBytes: 1024 }
    const short = costOf(1_000_000, { ...call, durationMs: 0.2 })
    expect(short).toEqual(costOf(1_000_000, { ...call, durationMs: 1 }))
    expect(short.invocations).toBeCloseTo(0.2)
    expect(short.total).toBeCloseTo(short.compute + short.invocations + short.traffic, 12)
  })
})
