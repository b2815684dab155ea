/** What `npm run engines` runs, on which engines, and why some pairs of the two are empty. */

export const engines = [
  'sql.js',
  'offline PlanetScale',
  'MariaDB',
  'MySQL',
  'TiDB',
  'ps-http-sim',
  'Vitess planner',
] as const
export type Engine = (typeof engines)[number]

export interface EngineSuite {
  /** What it holds the engine to, as the table says it. */
  title: string
  /** Test files, from the project's folder. */
  files: readonly string[]
  /** The engine of tests whose names tell none. */
  otherwise?: Engine
}

export const engineSuites: readonly EngineSuite[] = [
  { title: 'the stores’ contract', files: ['test/shared/store/contract.test.ts'] },
  {
    title: 'the doors: values, refusals, transactions',
    files: [
      'test/shared/store/mysql.test.ts',
      'test/shared/store/planetscale.test.ts',
      'test/shared/store/planetscale-transactions.test.ts',
    ],
    otherwise: 'sql.js',
  },
  {
    title: 'killed, hung, locked, full',
    files: ['test/shared/store/mysql-faults.test.ts', 'test/functions/database-faults.test.ts'],
  },
  { title: 'tables as migrated', files: ['test/shared/store/schema.test.ts'] },
  { title: 'plans on filled tables', files: ['test/shared/store/access-paths.test.ts'] },
  {
    title: 'journey: log in, submit, query',
    files: ['test/journey.test.ts'],
    otherwise: 'sql.js',
  },
  { title: 'drill: lost writes', files: ['test/drills/lost-writes.test.ts'] },
  { title: 'drill: folds', files: ['test/drills/unfolded-account.test.ts'] },
  {
    title: 'the same answers',
    files: ['test/engines/ps-http-sim/ps-http-sim.test.ts'],
    otherwise: 'ps-http-sim',
  },
  {
    title: 'shards asked',
    files: ['test/engines/vitess/vitess.test.ts'],
    otherwise: 'Vitess planner',
  },
]

/** The engine that a test's full name tells, `… (TiDB) > …`. */
export function engineOf(name: string, { otherwise }: EngineSuite): Engine | undefined {
  if (otherwise === 'ps-http-sim' || otherwise === 'Vitess planner') return otherwise
  if (/offline PlanetScale over sql\.js/.test(name)) return 'sql.js'
  if (/offline PlanetScale (?:over|in front of)|over HTTP/.test(name)) return 'offline PlanetScale'
  const [, server] = /\b(MariaDB|MySQL|TiDB)(?:\)| over TCP)/.exec(name) ?? []
  return engines.find((engine) => engine === server) ?? otherwise
}

/** Why nothing of a suite runs on an engine; each is a note below the table. */
const ABSENCES: readonly { reason: string; of(suite: EngineSuite, engine: Engine): boolean }[] = [
  {
    reason: 'it plans statements and holds no rows',
    of: ({ otherwise }, engine) => engine === 'Vitess planner' && otherwise !== engine,
  },
  {
    reason: 'it is asked for a second opinion on the protocol only',
    of: ({ otherwise }, engine) => engine === 'ps-http-sim' && otherwise !== engine,
  },
  {
    reason: 'a question to that one engine',
    of: ({ otherwise }) => otherwise === 'Vitess planner' || otherwise === 'ps-http-sim',
  },
  {
    reason:
      'part of the process that asks: nothing of it can be killed, locked or fallen short of alone, and its plans are SQLite’s',
    of: (_suite, engine) => engine === 'sql.js',
  },
  {
    reason: 'tables, plans and settings are those of the server behind it',
    of: (_suite, engine) => engine === 'offline PlanetScale',
  },
]

/** @returns undefined for a pair of which something should have run */
export function whyEmpty(suite: EngineSuite, engine: Engine): string | undefined {
  return ABSENCES.find((absence) => absence.of(suite, engine))?.reason
}

/** Tests that an engine does not pass, and how: a note in the table. What fails otherwise, fails the run. */
export const knownDifferences: readonly {
  engine: Engine
  test: RegExp
  /** What the failure says; another one of the same test is none that is known. */
  failure: RegExp
  why: string
}[] = [
  {
    engine: 'TiDB',
    test: /settings that spoil literals/,
    failure: /8123/,
    why: 'a select without its group by is refused with 8123 in place of 1140',
  },
  {
    engine: 'TiDB',
    test: /a broken database .*that is read-only/,
    failure: /errno 1235/,
    why: 'it cannot be made read-only as the test does (1235)',
  },
  {
    engine: 'TiDB',
    test: /a broken database .*that keeps a lock for ever/,
    failure: /"errno":1205/,
    why: 'LOCK TABLES holds nobody up',
  },
  {
    engine: 'TiDB',
    test: /a broken database .*(?:whose user lost its rights|that lacks a table)/,
    failure: /lacks a right on a|expected 503 to be 201/,
    why: 'a lost right is not named in the log, and submissions go on failing for 20 s after a missing table came back: seen, and not looked into yet',
  },
  {
    engine: 'TiDB',
    test: /the drill finds a server that checks, then inserts/,
    failure: /errno 1061/,
    why: 'the broken variant cannot be built: one ALTER may not drop and add a key of one name',
  },
  {
    engine: 'TiDB',
    test: /the summary of an account that nobody folded/,
    failure: /expected \+?0 to be 1|to deeply equal ArrayContaining/,
    why: 'its promises held, but nothing was ever refused and both broken variants survived, so that it proves nothing here',
  },
]
