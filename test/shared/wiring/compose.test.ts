import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { parts as login } from '../../../functions/login/parts.ts'
import { bundleFunction, functionNames, projectFolder } from '../../../scripts/build/bundle.ts'
import { readDeclarations } from '../../../scripts/build/declarations.ts'
import type { LogEvent } from '../../../shared/ports.ts'
import { serve } from '../../../shared/transport/serve.ts'
import { compose, everyFunction, faultsOf, variablesOf } from '../../../shared/wiring/compose.ts'
import { call } from '../../support/http-events.ts'
import { readService } from '../../support/service.ts'
import { randomKey } from '../../support/world.ts'

const good = {
  DATABASE_URL: 'https://user:password@aws.connect.psdb.cloud',
  TOKEN_KEYS: `${randomKey('k2')},${randomKey('k1')}`,
  SEALING_KEYS: randomKey('s1'),
  LOOKUP_KEY: randomKey('x').slice(2),
  WECHAT_APPID: 'wx0123456789abcdef',
  WECHAT_SECRET: '0123456789abcdef0123456789abcdef',
}
describe('configuration', () => {
  test('everything that is wrong is named at once', () => {
    const env = { ...good, TOKEN_KEYS: 'x', WECHAT_SECRET: 'x' }
    expect(faultsOf(login, good)).toEqual([])
    expect(faultsOf(login, env).map(({ variable }) => variable)).toEqual([
      'TOKEN_KEYS',
      'WECHAT_SECRET',
    ])
    expect(() => compose(login, env)).toThrow(/TOKEN_KEYS should be .*; WECHAT_SECRET should be /)
  })

  test('a wrong one answers every request with the same 500 problem and one line naming the variable', async () => {
    const lines: LogEvent[] = []
    const handler = serve({
      functionName: 'broken',
      parts: everyFunction,
      endpoints: [],
      env: { ...good, TOKEN_KEYS: 'k1:too-weak-a-value' },
      log: { write: (line) => lines.push(line) },
    })
    for (const route of ['GET /form', 'POST /score', 'GET /nowhere']) {
      expect(await call(handler.http, route)).toMatchObject({
        status: 500,
        body: { code: 'misconfigured', retry: 'never' },
      })
    }
    expect(lines).toHaveLength(3)
    expect(lines[0]?.variables?.[0]).toMatch(/^TOKEN_KEYS /)
    expect(JSON.stringify(lines)).not.toContain('too-weak-a-value')
  })
})

describe('least privilege', () => {
  async function bundleOf(name: string): Promise<string> {
    const options = { storeDoor: 'planetscale', outdir: 'dist/privilege' } as const
    return readFile((await bundleFunction(name, options)).file, 'utf8')
  }

  /** A function's declaration alone. */
  async function declarationOf(name: string): Promise<string> {
    const entryPoints = [`functions/${name}/parts.ts`]
    const { outputFiles } = await build({
      absWorkingDir: projectFolder,
      entryPoints,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      write: false,
    })
    return outputFiles[0]?.text ?? ''
  }

  /** The variables a program reads when it is loaded, seen by an environment that keeps count. */
  function variablesRead(program: string): string[] {
    const asked = new Set<string>()
    const env = new Proxy<Record<string, string | undefined>>(good, {
      get: (target, property) => {
        asked.add(String(property))
        return target[String(property)]
      },
    })
    const process = {
      env,
      version: globalThis.process.version,
      versions: globalThis.process.versions,
    }
    const module = { exports: {} }
    const load = new Function('require', 'module', 'exports', 'process', program)
    load(createRequire(import.meta.url), module, module.exports, process)
    return [...asked].filter((variable) => /^[A-Z_]+$/.test(variable)).sort()
  }

  test.each(functionNames)(
    '%s reads exactly the variables it declares, which are those serverless.yml gives it',
    async (name) => {
      const given = (await readService()).find(({ key }) => key === name)
      const parts = (await readDeclarations([name])).get(name) ?? {}
      const declared = variablesOf(parts).sort()
      expect(variablesRead(await bundleOf(name))).toEqual(declared)
      expect([...(given?.declared ?? [])].sort()).toEqual(declared)
    },
  )

  test.each(functionNames)('the declaration of %s reads and starts nothing', async (name) => {
    expect(variablesRead(await declarationOf(name))).toEqual([])
  })

  test('only login knows the AppSecret and the sealing keys', async () => {
    for (const { key, declared } of await readService()) {
      expect(declared.includes('WECHAT_SECRET')).toBe(key === 'login')
      expect(declared.includes('SEALING_KEYS')).toBe(key === 'login')
    }
  })

  test('.env.example lists every variable', async () => {
    const example = await readFile(path.join(projectFolder, '.env.example'), 'utf8')
    for (const { declared } of await readService()) {
      for (const variable of declared) expect(example).toMatch(new RegExp(`^#?${variable}=`, 'm'))
    }
  })
})
