/** A copy of the project in a temporary folder, in which tests run the real commands as a user would. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const projectFolder = fileURLToPath(new URL('../..', import.meta.url))
const recorder = fileURLToPath(new URL('./record-contacts.cjs', import.meta.url))
// osls compiles the configuration's schema once and keeps the result; one place for all tests saves half a second each.
const schemaCache = join(projectFolder, 'node_modules/.cache/serverless-schema')
const serverlessBin = createRequire(import.meta.url).resolve('osls/bin/serverless.js')

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
  /** Everything the process connected to or looked up. */
  contacts: string[]
}

export interface Started {
  /** Resolves with the match when stdout matches; rejects when the process ends first. */
  printed: (pattern: RegExp) => Promise<RegExpExecArray>
  /** Interrupts it as Ctrl-C does and waits for its end. */
  interrupt: () => Promise<Ran>
}

/** Tells what it was given, so that a test can see what reached it; passes the test of a deploy. */
function echoFunction(name: string): string {
  return `
interface Event { fail?: string; say?: string; waitMs?: number; path?: string }
export const main_handler = async (event: Event) => {
  if (event.fail) throw new Error(event.fail)
  if (event.say) console.log(event.say)
  if (event.waitMs) await new Promise((resolve) => setTimeout(resolve, event.waitMs))
  if (event.path === '/query/doctor-asks-for-nothing' || (event.path === '/form' && ${name !== 'query-scores'})) {
    const headers = { 'content-type': 'application/problem+json' }
    return { statusCode: 404, headers, body: JSON.stringify({ code: 'not-found' }) }
  }
  const form = event.path === '/form' ? { grades: [], texts: [] } : {}
  const body = JSON.stringify({ name: '${name}', event, variables: process.env, ...form })
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body }
}
`
}

function newKey(): string {
  return randomBytes(32).toString('base64url')
}

/** Values for every variable that a deploy insists on. */
export function soundVariables(): Record<string, string> {
  return {
    DATABASE_URL: 'https://user:password@db.example.com',
    TOKEN_KEYS: `k1:${newKey()}`,
    SEALING_KEYS: `s1:${newKey()}`,
    LOOKUP_KEY: newKey(),
    WECHAT_APPID: 'wx0123456789abcdef',
    WECHAT_SECRET: randomBytes(16).toString('hex'),
  }
}

/** `echo`: the functions say what reached them; `real`: the project's own. Remove it in the end. */
export async function createServerlessProject(functions: 'echo' | 'real') {
  const folder = await mkdtemp(join(tmpdir(), 'serverless-project-'))
  const copy = (name: string): Promise<void> =>
    cp(join(projectFolder, name), join(folder, name), { recursive: true })
  const home = join(folder, 'home')
  await mkdir(home)
  for (const name of ['scripts', 'shared', 'serverless.yml', 'package.json', 'tsconfig.json'])
    await copy(name)
  await symlink(join(projectFolder, 'node_modules'), join(folder, 'node_modules'))
  // Empty: the environment of each command holds the values.
  await writeFile(join(folder, '.env.dev'), '')
  const writeFunction = async (name: string, source: string): Promise<void> => {
    await mkdir(join(folder, 'functions', name), { recursive: true })
    await writeFile(join(folder, 'functions', name, 'index.ts'), source)
  }
  if (functions === 'real') await copy('functions')
  else
    for (const name of ['login', 'submit-score', 'query-scores']) {
      await writeFunction(name, echoFunction(name))
      await copy(`functions/${name}/parts.ts`)
    }

  let runs = 0
  const launch = (args: readonly string[], env: Record<string, string>) => {
    const contactsFile = join(folder, `contacts-${++runs}`)
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        SLS_SCHEMA_CACHE_BASE_DIR: schemaCache,
        NODE_OPTIONS: `--require ${recorder}`,
        CONTACTS_FILE: contactsFile,
        // The SDK would send its calls here if it were left to its own ways.
        http_proxy: 'http://192.0.2.1:9',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = { stdout: '', stderr: '' }
    const watchers = new Set<() => void>()
    child.stdout.on('data', (chunk: Buffer) => {
      output.stdout += chunk
      for (const watcher of watchers) watcher()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      output.stderr += chunk
    })
    const ended = new Promise<Ran>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => {
        readFile(contactsFile, 'utf8').then(
          (text) => resolve({ code, ...output, contacts: text.split('\n').filter(Boolean) }),
          () => resolve({ code, ...output, contacts: [] }),
        )
      })
    })
    return { child, output, ended, watchers }
  }

  return {
    folder,
    /** Runs `serverless <args>` to its end. */
    serverless: (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
      launch([serverlessBin, ...args], env).ended,
    /** Runs a command of scripts/ to its end. */
    script: (name: string, args: readonly string[], env: Record<string, string> = {}) =>
      launch(['--import', 'tsx', `scripts/${name}`, ...args], env).ended,
    /** Runs a program of the project's packages to its end. */
    program: (file: string, args: readonly string[], env: Record<string, string> = {}) =>
      launch([join(projectFolder, 'node_modules', file), ...args], env).ended,
    /** Starts `serverless <args>`, for commands that go on until they are interrupted. */
    start: (args: readonly string[], env: Record<string, string> = {}): Started => {
      const { child, output, ended, watchers } = launch([serverlessBin, ...args], env)
      return {
        printed: (pattern) =>
          new Promise((resolve, reject) => {
            const look = (): void => {
              const match = pattern.exec(output.stdout)
              if (match) resolve(match)
            }
            watchers.add(look)
            look()
            ended.then((ran) => reject(new Error(`it ended first: ${ran.stdout}${ran.stderr}`)))
          }),
        interrupt: () => {
          child.kill('SIGINT')
          return ended
        },
      }
    },
    writeFunction,
    /** Replaces text in serverless.yml; throws when it is not there. */
    editConfiguration: async (from: string, to: string): Promise<void> => {
      const file = join(folder, 'serverless.yml')
      const text = await readFile(file, 'utf8')
      if (!text.includes(from)) throw new Error(`serverless.yml has no "${from}"`)
      await writeFile(file, text.replace(from, to))
    },
    remove: (): Promise<void> => rm(folder, { recursive: true, force: true }),
  }
}

export type ServerlessProject = Awaited<ReturnType<typeof createServerlessProject>>
