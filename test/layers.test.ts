import path from 'node:path'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { bundleFunction, functionNames, projectFolder } from '../scripts/build/bundle.ts'

/** The layers, highest first. A file belongs to the first pattern that matches it. */
const layers: { name: string; files: RegExp; packages: RegExp }[] = [
  { name: 'entry', files: /^functions\/[^/]+\/index\.ts$/, packages: /^$/ },
  {
    name: 'edge',
    files: /^shared\/(transport|wiring)\/.+\.ts$/,
    packages: /^(node:(crypto|net|http|zlib)|valibot)$/,
  },
  {
    name: 'endpoint',
    files: /^functions\/[^/]+\/.+\.ts$/,
    packages: /^(valibot|uuid|node:crypto)$/,
  },
  {
    name: 'implementation',
    files: /^shared\/((wechat|session|store|limits)\/.+|log)\.ts$/,
    packages:
      /^(node:(crypto|fs|http|https|net|tls)|uuid|jose|mysql2(\/promise)?|@planetscale\/database)$/,
  },
  { name: 'core', files: /^shared\/(endpoint|breaker|domain\/.+)\.ts$/, packages: /^valibot$/ },
  { name: 'vocabulary', files: /^shared\/(ports|problem)\.ts$/, packages: /^$/ },
]

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

/** What is wrong with an import, or undefined. */
function judge({ from, to, isPackage }: Edge): string | undefined {
  const layer = layers[layerOf(from)]
  if (!layer) return `${from} belongs to no layer`
  if (isPackage)
    return layer.packages.test(to) ? undefined : `${from} (${layer.name}) imports ${to}`
  const [fromLayer, toLayer] = [layerOf(from), layerOf(to)]
  if (toLayer < 0) return `${from} imports ${to}, which belongs to no layer`
  if (toLayer < fromLayer) return `${from} climbs to ${to}`
  const toName = layers[toLayer]?.name
  if (layer.name === 'endpoint' && toName === 'implementation' && !pureHelpers.test(to)) {
    return `${from} reaches past the ports to ${to}`
  }
  const folderOf = (file: string): string => path.dirname(file)
  if (layer.name === 'implementation' && toName === 'implementation') {
    if (folderOf(from) !== folderOf(to)) return `${from} leans on its neighbour ${to}`
  }
  return undefined
}

async function readEdges(): Promise<Edge[]> {
  const { metafile } = await build({
    absWorkingDir: projectFolder,
    entryPoints: functionNames.map((name) => `functions/${name}/index.ts`),
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outdir: 'nowhere',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  return Object.entries(metafile.inputs).flatMap(([from, { imports }]) =>
    imports
      .filter(({ path: to }) => !to.startsWith('<'))
      .map(({ path: to, external = false }) => ({ from, to, isPackage: external })),
  )
}

describe('imports', () => {
  test('point one way, from entry to vocabulary', async () => {
    const edges = await readEdges()
    expect(edges.length).toBeGreaterThan(40)
    expect(edges.map(judge).filter((fault) => fault !== undefined)).toEqual([])
  })

  test.each([
    ['a climb', 'shared/domain/score.ts', 'shared/store/ratings.ts', false],
    ['a driver in an endpoint', 'functions/login/login.ts', 'shared/store/planetscale.ts', false],
    ['a neighbour', 'shared/session/token.ts', 'shared/wechat/client.ts', false],
    ['a library in the vocabulary', 'shared/ports.ts', 'valibot', true],
    ['a second library', 'shared/domain/form.ts', 'uuid', true],
    ['a stray file', 'shared/stray.ts', 'shared/ports.ts', false],
  ])('%s is found', (_name, from, to, isPackage) => {
    expect(judge({ from, to, isPackage })).toBeDefined()
  })
})

describe('bundles', () => {
  /** What each function may hold beside its own endpoints. */
  const holds: Record<string, RegExp> = {
    login: /^shared\/(?!domain\/form|store\/mysql)/,
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
