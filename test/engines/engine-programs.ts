/** Programs in Go that suites run on or ask, compiled from the modules beside this file into the project's data folder. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { availableParallelism, constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CommandProblem } from '../../scripts/cli/problem.ts'
import { enginesFolder } from '../../scripts/simulators/mysql-server/tidb.ts'

export interface EngineProgram {
  name: string
  /** Folder of its `go.mod`, beside this file. */
  module: string
  /** What is compiled there. */
  package: string
  /** Values put in while linking, such as a version. */
  linkerFlags: string
  whatFor: string
}

export const enginePrograms: readonly EngineProgram[] = [
  {
    name: 'ps-http-sim',
    module: 'ps-http-sim',
    package: 'github.com/mattrobenolt/ps-http-sim',
    linkerFlags: '',
    whatFor: 'a second opinion on the offline PlanetScale',
  },
  {
    name: 'vitess-planner',
    module: 'vitess',
    package: '.',
    linkerFlags: '',
    whatFor: 'which shards statements ask',
  },
  {
    name: 'tidb-server',
    module: 'tidb',
    package: 'github.com/pingcap/tidb/cmd/tidb-server',
    // pkg/util/hack measures maps by their layout, and starts under the name of Go 1.25 only; the layout of 1.26 is the same
    // (internal/runtime/maps: Map and table). A later Go has to be looked at before it may claim to be 1.25.
    linkerFlags:
      '-X github.com/pingcap/tidb/pkg/parser/mysql.TiDBReleaseVersion=v8.5.6 -X runtime.buildVersion=go1.25',
    whatFor: 'TiDB with its embedded store',
  },
]

/** Vitess takes no earlier minor version of Go, and TiDB was looked at with no later one. */
const GO_MINOR = 26

export function isBuilt({ name }: EngineProgram): boolean {
  return existsSync(join(enginesFolder, name))
}

/** @throws {CommandProblem} saying what to do where there is no Go, or one that is too old */
export function checkGo(): void {
  const stdout = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).stdout ?? ''
  const minor = Number(/^go1\.([0-9]+)/.exec(stdout)?.[1])
  if (minor === GO_MINOR) return
  const found = stdout.trim() === '' ? 'There is no Go on this machine' : `This is ${stdout.trim()}`
  throw new CommandProblem(
    `${found}: engines are compiled with Go 1.${GO_MINOR} (https://go.dev/dl, or: brew install go), some 4 GB of room and a quarter of an hour.`,
  )
}

/**
 * Compiles the program unless it is there, compiled from the same sources.
 * @returns whether it was compiled. @throws {CommandProblem} with the compiler's last words
 */
export async function buildEngine(
  program: EngineProgram,
  onProgress: (line: string) => void,
): Promise<boolean> {
  const sources = fileURLToPath(new URL(`${program.module}/`, import.meta.url))
  const stamp = await stampOf(sources, program)
  const stampFile = join(enginesFolder, `${program.name}.built-from`)
  const before = await readFile(stampFile, 'utf8').catch(() => '')
  if (isBuilt(program) && before === stamp) return false

  await mkdir(enginesFolder, { recursive: true })
  onProgress(`${program.name}: asking for its sources`)
  const packages = await go(sources, ['list', '-deps', program.package], () => {})
  const made = join(enginesFolder, `${program.name}.making`)
  let done = 0
  const options = ['-p', `${Math.max(1, Math.floor(availableParallelism() / 2))}`, '-v']
  const flags = ['-ldflags', `-s -w ${program.linkerFlags}`]
  await go(sources, ['build', ...options, ...flags, '-o', made, program.package], () => {
    done++
    onProgress(`${program.name}: compiled ${done}, of ${packages} packages at most`)
  })
  await rename(made, join(enginesFolder, program.name))
  await writeFile(stampFile, stamp)
  return true
}

/** A digest of what the program is made of; whatever it requires is pinned in go.sum. */
async function stampOf(sources: string, program: EngineProgram): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(program))
  for (const name of (await readdir(sources)).sort()) {
    if (/^go\.(?:mod|sum)$|\.go$/.test(name)) digest.update(await readFile(join(sources, name)))
  }
  return digest.digest('hex')
}

/** Runs Go, out of everybody's way. @returns how many lines it printed. */
async function go(
  folder: string,
  args: readonly string[],
  onWord: (line: string) => void,
): Promise<number> {
  const child = spawn('go', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  let printed = 0
  const words: string[] = []
  createInterface(child.stdout).on('line', () => printed++)
  createInterface(child.stderr).on('line', (line) => {
    words.push(line)
    onWord(line)
  })
  const exitCode = await new Promise((resolve, reject) =>
    child.once('close', resolve).once('error', reject),
  )
  if (exitCode === 0) return printed
  throw new CommandProblem(
    `go ${args[0]} in ${folder} failed (${exitCode}):\n${words.slice(-12).join('\n')}`,
  )
}
