import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { bundleFunction, functionNames, projectFolder } from '../scripts/build/bundle.ts'

/** The layers, highest first. A file belongs to the first pattern that matches it; test/ belongs to none. */
const layers: { name: string; files: RegExp; packages: RegExp }[] = [
  { name: 'command', files: /^scripts\/[^/]+\.ts$/, packages: /./ },
  { name: 'room', files: /^scripts\/.+\/.+\.c?ts$/, packages: /./ },
  { name: 'entry', files: /^functions\/[^/]+\/index\.ts$/, packages: /^$/ },
  { name: 'parts', files: /^functions\/[^/]+\/parts\.ts$/, packages: /^$/ },
  {
    name: 'edge',
    files: /^shared\/(transport|wiring)\/.+\.ts$/,
    packages: /^(node:(crypto|events|http|net|stream|zlib)|valibot)$/,
  },
  {
    name: 'endpoint',
    files: /^functions\/[^/]+\/.+\.ts$/,
    packages: /^(valibot|uuid|node:crypto)$/,
  },
  { name: 'client', files: /^shared\/client\/.+\.ts$/, packages: /^$/ },
  {
    name: 'implementation',
    files: /^shared\/((wechat|session|store|limits)\/.+|log)\.ts$/,
    packages:
      /^(node:(crypto|fs|http|https|net|tls)|uuid|jose|mysql2(\/promise)?|@planetscale\/database)$/,
  },
  {
    name: 'core',
    files: /^shared\/(endpoint|allow-list|authority|call|breaker|domain\/.+)\.ts$/,
    packages: /^valibot$/,
  },
  {
    name: 'vocabulary',
    files: /^shared\/(ports|problem|network-addresses)\.ts$/,
    packages: /^node:net$/,
  },
]

/** Each starts something when it is loaded. */
const programs = new Set(['command', 'entry'])

/** Pure functions of implementations that an endpoint may call. */
const pureHelpers = /^shared\/wechat\/user-data\.ts$/

interface Edge {
  from: string
  to: string
  isPackage: boolean
}

function layerOf(file: string): number {
  return layers.findIndex(({ files }) => files.test(file))
}

function layerNamed(name: string): number {
  return layers.findIndex((layer) => layer.name === name)
}

/** What is wrong with an import, or undefined. */
function judge({ from, to, isPackage }: Edge): string | undefined {
  const layer = layers[layerOf(from)]
  if (!layer) return `${from} belongs to no layer`
  if (isPackage)
    return layer.packages.test(to) ? undefined : `${from} (${layer.name}) imports ${to}`
  const [fromLayer, toLayer] = [layerOf(from), layerOf(to)]
  if (toLayer < 0) return `${from} imports ${to}, which belongs to no layer`
  if (toLayer < fromLayer) return `${from} climbs to ${to}`
  const toName = layers[toLayer]?.name ?? ''
  if (programs.has(toName)) return `${from} imports ${to}, which is a program`
  if (layer.name === 'endpoint' && toName === 'implementation' && !pureHelpers.test(to)) {
    return `${from} reaches past the ports to ${to}`
  }
  // A mini program has none of the server's files, and takes along nothing it does not need.
  if (layer.name === 'client' && toName !== 'client') return `${from} leans on the server: ${to}`
  if (toName === 'client' && layer.name !== 'client' && fromLayer >= layerNamed('entry')) {
    return `${from} imports the mini program's client`
  }
  const folderOf = (file: string): string => path.dirname(file)
  if (layer.name === 'implementation' && toName === 'implementation') {
    if (folderOf(from) !== folderOf(to)) return `${from} leans on its neighbour ${to}`
  }
  return undefined
}

/** Whatever a source imports, in order, types as well, which a bundler would not tell. */
function importsIn(source: string): string[] {
  const imports = /^(?:import|export)\s+(?:[\w\s{},*$]*\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm
  return [...source.matchAll(imports)].map(([, stated, called]) => stated ?? called ?? '')
}

const sources = ['functions', 'shared', 'scripts']
  .flatMap((folder) =>
    readdirSync(path.join(projectFolder, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.ts$/.test(file))
      .map((file) => path.join(folder, file)),
  )
  .map((file) => ({ file, source: readFileSync(path.join(projectFolder, file), 'utf8') }))

function readEdges(): Edge[] {
  return sources.flatMap(({ file: from, source }) =>
    importsIn(source).map((to) => {
      const isPackage = !to.startsWith('.')
      return { from, to: isPackage ? to : path.join(path.dirname(from), to), isPackage }
    }),
  )
}

/** Folders of scripts/ that lean on each other, as a circle from one back to itself; undefined when there is none. */
function circleOfRooms(edges: readonly Edge[]): string[] | undefined {
  const roomOf = (file: string): string | undefined => /^scripts\/([^/]+)\//.exec(file)?.[1]
  const neighbours = new Map<string, Set<string>>()
  for (const { from, to } of edges) {
    const [room, other] = [roomOf(from), roomOf(to)]
    if (room === undefined || other === undefined || room === other) continue
    neighbours.set(room, (neighbours.get(room) ?? new Set()).add(other))
  }
  const follow = (way: readonly string[]): string[] | undefined => {
    const room = way.at(-1) ?? ''
    if (way.indexOf(room) < way.length - 1) return way.slice(way.indexOf(room))
    for (const next of neighbours.get(room) ?? []) {
      const circle = follow([...way, next])
      if (circle) return circle
    }
    return undefined
  }
  for (const room of neighbours.keys()) {
    const circle = follow([room])
    if (circle) return circle
  }
  return undefined
}

const edges = readEdges()

describe('imports', () => {
  test('point one way, from commands to vocabulary', () => {
    expect(edges.map(judge).filter((fault) => fault !== undefined)).toEqual([])
  })

  test('of the rooms of scripts/ form no circle', () => {
    expect(circleOfRooms(edges)).toBeUndefined()
  })

  test.each([
    ['a climb', 'shared/domain/score.ts', 'shared/store/ratings.ts', false],
    ['a climb out of the core', 'shared/authority.ts', 'shared/transport/body.ts', false],
    ['a climb into the wiring', 'shared/store/ratings.ts', 'shared/wiring/clock.ts', false],
    ['a climb into the scripts', 'shared/wiring/compose.ts', 'scripts/build/bundle.ts', false],
    ['a driver in an endpoint', 'functions/login/login.ts', 'shared/store/planetscale.ts', false],
    ['the server in the client', 'shared/client/client.ts', 'shared/problem.ts', false],
    ['the client in the server', 'shared/transport/serve.ts', 'shared/client/client.ts', false],
    ['a neighbour', 'shared/session/token.ts', 'shared/wechat/client.ts', false],
    ['a library in the vocabulary', 'shared/ports.ts', 'valibot', true],
    ['a second library', 'shared/domain/form.ts', 'uuid', true],
    ['a stray file', 'shared/stray.ts', 'shared/ports.ts', false],
    ['a command in a room', 'scripts/local/offline.ts', 'scripts/build.ts', false],
    ['a command in a command', 'scripts/invoke.ts', 'scripts/build.ts', false],
    ['a function in a room', 'scripts/bench/warm.ts', 'functions/login/index.ts', false],
    ['a test in a function', 'functions/login/login.ts', 'test/support/world.ts', false],
    ['a test in the library', 'shared/store/ratings.ts', 'test/support/ratings.ts', false],
    ['a test in a room', 'scripts/bench/warm.ts', 'test/support/world.ts', false],
    ['a test in a command', 'scripts/bench.ts', 'test/support/world.ts', false],
  ])('%s is found', (_name, from, to, isPackage) => {
    expect(judge({ from, to, isPackage })).toBeDefined()
  })

  test('a circle of rooms is found', () => {
    const edge = (from: string, to: string): Edge => ({ from, to, isPackage: false })
    const round = [
      edge('scripts/a/one.ts', 'scripts/b/one.ts'),
      edge('scripts/b/two.ts', 'scripts/c/one.ts'),
      edge('scripts/c/two.ts', 'scripts/b/three.ts'),
    ]
    expect(circleOfRooms(round)).toEqual(['b', 'c', 'b'])
    expect(circleOfRooms(round.slice(0, 2))).toBeUndefined()
  })

  test.each([
    ["import { a } from './a.ts'", './a.ts'],
    ["import type { A } from './a.ts'", './a.ts'],
    ["import {\n  a,\n  type B,\n} from './a.ts'", './a.ts'],
    ["import * as v from 'valibot'", 'valibot'],
    ["import './a.ts'", './a.ts'],
    ["export * from './a.ts'", './a.ts'],
    ["  const { a } = await import('./a.ts')", './a.ts'],
    ["type A = import('./a.ts').A", './a.ts'],
  ])('%j is seen', (source, imported) => {
    expect(importsIn(source)).toEqual([imported])
  })
})

/** Names of types that files share, and that stand for something else in another file. */
function ambiguousTypes(files: typeof sources): string[] {
  const declared = files.flatMap(({ source }) => [
    ...source.matchAll(/^(export )?(?:type|interface|(?:abstract )?class) (\w+)/gm),
  ])
  const shared = new Set(declared.flatMap(([, exported, name = '']) => (exported ? [name] : [])))
  return [...shared].filter((name) => declared.filter((each) => each[2] === name).length > 1)
}

describe('types', () => {
  test('that files share have a name of their own', () => {
    // The client is a package of its own, which repeats the contract in its own words.
    const own = sources.filter(({ file }) => !file.startsWith('shared/client/'))
    expect(ambiguousTypes(own)).toEqual([])
  })

  test('of one name are found where one of them is shared, and only there', () => {
    const a = { file: 'a.ts', source: 'export interface Thing {\n}\ntype Own = 1\n' }
    const b = { file: 'b.ts', source: 'class Thing {}\ninterface Own {}\n' }
    expect(ambiguousTypes([a, b])).toEqual(['Thing'])
  })
})

describe('bundles', () => {
  /** What each function may hold beside its own endpoints. */
  const holds: Record<string, RegExp> = {
    login: /^shared\/(?!domain\/(form|rating)\.ts|store\/mysql)/,
    'submit-score': /^shared\/(?!wechat\/|store\/mysql)/,
    'query-scores': /^shared\/(?!wechat\/|store\/mysql)/,
  }
  const borrowed: Record<string, RegExp> = {
    'submit-score': /^functions\/query-scores\/(own-scores|page)\.ts$/,
  }

  test.each(functionNames)('%s holds nothing that it does not use', async (name) => {
    const { metafile } = await bundleFunction(name, {
      storeDoor: 'planetscale',
      outdir: 'dist/layers',
    })
    const inputs = Object.values(metafile.outputs)
      .flatMap(({ inputs }) => Object.entries(inputs))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([file]) => file)
    const own = inputs.filter((file) => !file.includes('node_modules'))
    const strangers = own.filter(
      (file) =>
        !file.startsWith(`functions/${name}/`) &&
        !holds[name]?.test(file) &&
        !borrowed[name]?.test(file),
    )
    expect(strangers).toEqual([])
    const packages = inputs.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1])
    expect(new Set(packages.filter(Boolean))).toEqual(
      new Set(['jose', 'valibot', 'uuid', '@planetscale/database']),
    )
  })
})
