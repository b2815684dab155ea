/** Measures the functions beside their budgets. Run with --help. */

import { writeFile } from 'node:fs/promises'
import { contestantNames } from './bench/contestant-names.ts'
import {
  type BenchmarkName,
  type BenchmarkOptions,
  benchmarkNames,
  type Figure,
  verdictOf,
} from './bench/figure.ts'
import { describeMachine } from './bench/machine.ts'
import { renderPicture } from './bench/picture.ts'
import { renderJson, renderTable } from './bench/table.ts'
import { closeUnfinished, interruption } from './cli/closers.ts'
import { runCommand } from './cli/command.ts'
import { type ServerKind, serverKinds } from './simulators/mysql-server/server-program.ts'

const usage = `Usage: npm run bench [-- benchmark …] [-- options]

Measures this checkout beside its budgets, on a MariaDB, a PlanetScale and a WeChat of its own, and prints
ratios: what one machine takes twice as long for, the floor takes twice as long for too.

  size         the zip of each function, for both store doors
  cold         a fresh process until its first answer, against a handler that does nothing
  warm         what a handler adds to one that does nothing, its store answering at once
  throughput   requests per second of a function, as a server and behind a front, against a bare floor
  memory       resident memory after the first answer and after 10,000; statements per request
  scale        pages and summaries of a busy account, many ratings against few
  peers        the same job in Hono, Express and Flask (where python3 has it), cold and under load; brings their
               libraries from the npm registry into .data/bench-peers the first time
  growth       a request's processor time, round trips and bytes with more clients, ratings and processes, and
               what a million of them cost by the platform's price list

Without a benchmark all but the last three run, in some four minutes. What is deployed is measured: with the code cache
where npm run runtime -- get has brought the runtime's Node, else without, on the Node that runs this.

  --rounds N       rounds in which all contestants take their turn (each benchmark has its own default)
  --rows N         ratings of the largest database of scale and growth (default 1000000)
  --server KIND    what scale runs on: mariadb (default), mysql or tidb
  --hot-share F    part of them that the busiest account gets (default 0.15)
  --json FILE      write the figures to FILE as well
  --svg FILE       draw the figures of peers into FILE
  --strict         exit code 1 when a figure is over its budget
  --help           this text

A MariaDB on the PATH (for scale, or the MySQL of npm run mysql) is started for the run; TEST_DATABASE_URL=mysql://user:password@host:3306/name lends
another, in databases of its own.`

/** Each is loaded when it runs: none needs the others' libraries. */
const load = {
  size: async () => (await import('./bench/size.ts')).size,
  cold: async () => (await import('./bench/cold.ts')).cold,
  warm: async () => (await import('./bench/warm.ts')).warm,
  throughput: async () => (await import('./bench/throughput.ts')).throughput,
  memory: async () => (await import('./bench/memory.ts')).memory,
  scale: async () => (await import('./bench/scale.ts')).scale,
  peers: async () => (await import('./bench/peers.ts')).peers,
  growth: async () => (await import('./bench/growth.ts')).growth,
}

/** Only run when they are named: they fill databases or bring libraries. */
const longBenchmarks: ReadonlySet<BenchmarkName> = new Set(['scale', 'peers', 'growth'])

const ROWS_DEFAULT = '1000000'
const ROWS_MIN = 1000
const HOT_SHARE_DEFAULT = '0.15'

/** What breaks off after a signal is not worth a message. */
let isInterrupted = false

type BenchValues = Record<'rows' | 'hot-share' | 'server', string> & {
  rounds?: string
  json?: string
  svg?: string
  strict: boolean
}

async function bench(values: BenchValues, names: readonly string[]): Promise<void> {
  const chosen = chooseBenchmarks(names)
  if (values.svg !== undefined && !chosen.includes('peers'))
    throw new Error('--svg draws the figures of peers: npm run bench -- peers --svg FILE')
  const options: BenchmarkOptions = {
    rounds: values.rounds === undefined ? undefined : wholeNumber('--rounds', values.rounds, 1),
    server: serverKind(values.server),
    rows: wholeNumber('--rows', values.rows, ROWS_MIN),
    hotShare: share('--hot-share', values['hot-share']),
    progress: (line) => console.error(line),
  }
  void interruption().then(() => {
    isInterrupted = true
    void closeUnfinished().finally(() => process.exit(1))
  })

  const machine = describeMachine()
  console.log(
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  )
  const figures: Figure[] = []
  for (const name of chosen) {
    const measure = await load[name]()
    for (const row of await measure(options)) figures.push({ benchmark: name, ...row })
  }
  console.log(renderTable(figures))
  if (values.json !== undefined) await writeFile(values.json, renderJson(figures, machine))
  if (values.svg !== undefined) await writeFile(values.svg, pictureOf(figures, machine))
  const over = figures.filter((figure) => verdictOf(figure) === 'OVER').length
  if (over > 0) console.log(`${over} over budget`)
  if (values.strict && over > 0) process.exitCode = 1
}

/** Says so when others had the machine as well: such a picture is for oneself. */
function pictureOf(
  figures: readonly Figure[],
  { node, cpu, cores, loadAverage, at }: ReturnType<typeof describeMachine>,
): string {
  const day = String(at).slice(0, 10)
  const isBusy = Number(loadAverage) > Number(cores) / 2
  const caption = [
    'One process on one core, one database connection, the database on the other cores',
    `Node ${node}, ${cpu}, ${cores} cores, ${day}`,
    ...(isBusy ? [`ON A BUSY MACHINE (load ${loadAverage})`] : []),
  ].join('; ')
  const title = 'First answers and requests per second of miniscore beside others that do the same'
  return renderPicture(figures, { title, emphasized: contestantNames.own, caption })
}

function chooseBenchmarks(names: readonly string[]): BenchmarkName[] {
  if (names.length === 0) return benchmarkNames.filter((name) => !longBenchmarks.has(name))
  return names.map((name) => {
    const found = benchmarkNames.find((each) => each === name)
    if (!found)
      throw new Error(`There is no benchmark "${name}"; there are ${benchmarkNames.join(', ')}.`)
    return found
  })
}

function wholeNumber(option: string, text: string, smallest: number): number {
  const number = Number(text)
  if (/^[0-9]{1,9}$/.test(text) && number >= smallest) return number
  throw new Error(`${option} should be a whole number of at least ${smallest}, not "${text}".`)
}

function serverKind(text: string): ServerKind {
  const kind = serverKinds.find((each) => each.toLowerCase() === text.toLowerCase())
  if (!kind) throw new Error(`--server is mariadb, mysql or tidb, not "${text}".`)
  return kind
}

function share(option: string, text: string): number {
  const number = Number(text)
  if (number > 0 && number < 1) return number
  throw new Error(`${option} should be a number between 0 and 1, not "${text}".`)
}

await runCommand({
  usage,
  options: {
    rounds: { type: 'string' },
    rows: { type: 'string', default: ROWS_DEFAULT },
    server: { type: 'string', default: 'mariadb' },
    'hot-share': { type: 'string', default: HOT_SHARE_DEFAULT },
    json: { type: 'string' },
    svg: { type: 'string' },
    strict: { type: 'boolean', default: false },
  },
  takesWords: true,
  run: (values, names) =>
    bench(values, names).catch((error: unknown) => {
      if (!isInterrupted) throw error
    }),
})
