import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { projectFolder } from '../scripts/build/bundle.ts'
import { migrationsFolder, readMigrations } from '../scripts/database/migrations.ts'
import { readEndpoints } from '../scripts/openapi/endpoints.ts'
import { reportLines } from '../scripts/tencent/probe/lines.ts'
import { alarmTexts } from '../scripts/tencent/watching.ts'
import { Problem, type ProblemCode } from '../shared/problem.ts'
import {
  brokenLinks,
  codeBlocks,
  commentsIn,
  headings,
  readPage,
  readPages,
  section,
  tableRows,
} from './support/documentation.ts'

const pages = readPages()
const read = (file: string): string => readFileSync(path.join(projectFolder, file), 'utf8')

describe('the first page', () => {
  const english = readPage('README.md').text
  const chinese = readPage('README.zh-CN.md').text

  test.each([
    ['in English', english],
    ['in Chinese', chinese],
  ])('is read in one sitting, %s: 150 lines at most', (_language, text) => {
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(150)
  })

  test('says the same in Chinese: the same headings, the same code', () => {
    const levels = (text: string): number[] => headings(text).map(({ level }) => level)
    expect(levels(chinese)).toEqual(levels(english))
    expect(comparable(chinese)).toEqual(comparable(english))
  })

  test('a Chinese page that fell behind is found', () => {
    const behind = english.replace('"grade1":5', '"grade1":4')
    expect(comparable(behind)).not.toEqual(comparable(english))
  })

  /** Code without what is translated in it: the labels of a picture. */
  function comparable(text: string) {
    return codeBlocks(text).map(({ language, code }) => ({
      language,
      code: language === 'mermaid' ? code.replaceAll(/"[^"]*"/g, '""') : code,
    }))
  }
})

describe('every page', () => {
  test.each(pages.map((page) => [page.file, page] as const))(
    '%s: its links lead somewhere',
    (_file, page) => {
      expect(brokenLinks(page)).toEqual([])
    },
  )

  test('a link to a file or a heading that is not there is found', () => {
    const text = '[a](nothing.md) [b](README.md#nowhere) [c](#here)\n\n## Here\n'
    expect(brokenLinks({ file: 'x.md', text })).toEqual([
      'nothing.md: there is no nothing.md',
      'README.md#nowhere: there is no such heading',
    ])
  })

  test('shell blocks can be pasted into an interactive zsh: no comments', () => {
    const blocks = pages.flatMap(({ text }) => codeBlocks(text))
    const commented = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code)
    expect(commented.length).toBeGreaterThan(10)
    expect(commented.flatMap(commentsIn)).toEqual([])
  })

  test.each(['# a comment', 'npm ci  # install', 'curl x \\\n  # y'])('%j is found', (code) => {
    expect(commentsIn(code)).toHaveLength(1)
  })

  test('scripts that pages name are there, and every script is explained to operators', () => {
    const known = Object.keys(JSON.parse(read('package.json')).scripts)
    const named = pages.flatMap(({ text }) =>
      [...text.matchAll(/npm run ([a-z]+)/g)].map(([, name = '']) => name),
    )
    expect(named.length).toBeGreaterThan(20)
    expect([...new Set(named)].filter((name) => !known.includes(name))).toEqual([])
    const operating = section(readPage('scripts/README.md').text, 'Commands')
    expect(known.filter((name) => !new RegExp(`npm (run )?${name}\\b`).test(operating))).toEqual([])
  })
})

describe('tables of facts', () => {
  const api = readPage('functions/README.md').text
  const rooms = section(readPage('.github/CONTRIBUTING.md').text, 'The rooms of the house')

  test('the routes are those that are described, with the functions that serve them and whether they need a login', async () => {
    const told = tableRows(section(api, 'Routes')).map((row) => row.slice(0, 3))
    const described = (await readEndpoints()).map(({ endpoint, functions }) => [
      `\`${endpoint.route}\``,
      functions.join(', '),
      endpoint.auth === 'required' ? 'yes' : '–',
    ])
    expect(described.length).toBeGreaterThan(10)
    expect(told.sort()).toEqual(described.sort())
  })

  test('the errors are those that a caller can see, with status, hint and message', () => {
    const codes = [...read('shared/problem.ts').matchAll(/^ {2}'?([a-z0-9-]+)'?: entry\(/gm)].map(
      ([, code]) => code as ProblemCode,
    )
    expect(codes.length).toBeGreaterThan(20)
    const rows = codes.map((code) => {
      const { status, retry, message } = new Problem(code).toBody('')
      return [`\`${code}\``, String(status), `\`${retry}\``, message]
    })
    expect(tableRows(section(api, 'Errors'))).toEqual(rows)
  })

  test('the variables are those that a deployment passes on and .env.example explains', () => {
    const rows = tableRows(section(readPage('scripts/README.md').text, 'Configuration'))
    const told = rows.flatMap(([names = '']) => names.replaceAll('`', '').split(', '))
    const passedOn = [...read('serverless.yml').matchAll(/(?:\$\{env:|: \$)([A-Z_]+)/g)].map(
      ([, name]) => name,
    )
    expect(passedOn.length).toBeGreaterThan(15)
    expect(told).toEqual(expect.arrayContaining([...new Set(passedOn)]))
    const example = read('.env.example')
    expect(told.filter((name) => !example.includes(name))).toEqual([])
  })

  test('every alarm that a deploy sets is about a line that Monitoring explains', () => {
    const explained = tableRows(section(readPage('scripts/README.md').text, 'Monitoring'))
      .map(([texts = '']) => texts)
      .join()
    expect(alarmTexts.filter(({ text }) => !explained.includes(`\`${text}\``))).toEqual([])
  })

  test('whatever is called uncertain is settled by a line of the probe’s report, and every line settles something', () => {
    const page = section(readPage('scripts/README.md').text, 'Not tried on the real cloud')
    expect(linesNamedIn(page)).toEqual(Object.keys(reportLines).sort())
    const without = page.replace(', `event-keys`', '').replace('`log-fields`', '')
    expect(linesNamedIn(without)).not.toContain('event-keys')
    expect(linesNamedIn(without)).toContain('')
  })

  test('the layers are those that imports are held to', () => {
    const rows = tableRows(rooms)
    const held = [...read('test/layers.test.ts').matchAll(/^ +(?:\{ )?name: '(\w+)',/gm)]
    expect(held.length).toBeGreaterThan(5)
    expect(rows.map(([name]) => name)).toEqual(held.map(([, name]) => name))
  })

  test.each(['shared', 'scripts'])(
    'every folder of %s/ has its place in the plan of the house',
    (folder) => {
      const plan = codeBlocks(rooms)
        .map(({ code }) => code)
        .join('')
      const folders = readdirSync(path.join(projectFolder, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => `${name}/`)
      expect(folders.length).toBeGreaterThan(2)
      expect(folders.filter((name) => !plan.includes(` ${name}`))).toEqual([])
    },
  )

  test('the tables of the store are those that migrations make', async () => {
    const rows = tableRows(section(readPage('shared/store/README.md').text, 'Tables'))
    const made = (await readMigrations(migrationsFolder)).flatMap(({ statements }) =>
      statements.flatMap((sql) => /create table if not exists (\w+)/.exec(sql)?.[1] ?? []),
    )
    expect(rows.map(([name]) => name?.replaceAll('`', '')).sort()).toEqual(made.sort())
  })

  test('the editor’s debugger looks where `serverless offline --inspect 9229` opens its ports', () => {
    const launch = parse(read('.vscode/launch.json').replaceAll(/^\s*\/\/.*$/gm, '')) as {
      configurations: { name: string; port: number }[]
    }
    const functions = Object.keys(parse(read('serverless.yml')).functions)
    const expected = functions.map((name, index) => [`offline: ${name}`, 9229 + index])
    const ports = launch.configurations.map(({ name, port }) => [name, port])
    expect(ports).toEqual([['invoke local', 9229], ...expected])
  })

  /** Of the table of what is uncertain; '' for a row that names none. */
  function linesNamedIn(page: string): string[] {
    return tableRows(page)
      .flatMap(([, lines = '']) => lines.split(', ').map((each) => each.replaceAll('`', '')))
      .sort()
  }
})
