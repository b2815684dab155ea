import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { projectFolder } from '../scripts/build/bundle.ts'
import { codeBlocks, readPage, readPages, section } from './support/documentation.ts'
import { SHIPPED_FORM } from './support/forms/built-with.ts'
import { helpOfCommands, ownCommands } from './support/help-of-commands.ts'
import { type Command, startServerless } from './support/local-command.ts'
import { pasteWalk, readWalk, type Shell, type Step } from './support/pasted-walk.ts'

/** What the pages tell a reader to type does what they say, in the reader's shell. */

// CI must have it; elsewhere the walks in zsh are skipped without it.
const hasZsh = process.env.CI !== undefined || spawnSync('zsh', ['--version']).status === 0
const shells: Shell[] = ['bash', 'zsh']

describe('the walks of the pages', () => {
  let data: string
  let dev: Command
  let addresses: { gateway: string; wechat: string }
  beforeAll(async () => {
    data = await mkdtemp(path.join(os.tmpdir(), 'miniscore-walks-'))
    dev = startServerless(['offline', '--data-folder', data], {
      PORT: '0',
      WECHAT_PORT: '0',
      RATING_FORM: SHIPPED_FORM,
    })
    const [, wechat = ''] = await dev.until(/^ready {3}offline WeChat {2}(http:\S+)/m)
    const [, gateway = ''] = await dev.until(/^ready {3}gateway {9}(http:\S+)/m)
    addresses = { gateway, wechat }
  })
  afterAll(async () => {
    dev?.signal('SIGTERM')
    await dev?.exited
    await rm(data, { recursive: true, force: true })
  })

  const first = readWalk(section(readPage('README.md').text, 'Try it'))
  const sessions = readWalk(section(readPage('functions/README.md').text, 'Sessions'))

  describe.each(shells)('in %s', (shell) => {
    const testInShell = test.skipIf(shell === 'zsh' && !hasZsh)

    testInShell('log in, rate as JSON and as a form, query', async () => {
      expect(first).toHaveLength(4)
      expect(await pasteWalk(shell, first, addresses)).toEqual([])
    })

    testInShell('refresh, two devices, user data, a phone number, log out', async () => {
      expect(sessions).toHaveLength(6)
      expect(await pasteWalk(shell, sessions, addresses)).toEqual([])
    })

    testInShell('a field that the form does not have is noticed', async () => {
      const broken = changed(first, (code) => code.replace('"grade1":5', '"grade9":5'))
      const faults = await pasteWalk(shell, broken, addresses)
      expect(faults[0]).toContain('invalid-field')
    })
  })

  test('what the first page shows of the start is what is printed', async () => {
    const [shown = ''] = textBlocks(section(readPage('README.md').text, 'Try it'))
    expect(shown).toContain('ready ')
    const place = path.relative(projectFolder, path.join(data, 'dev.sqlite'))
    const printed = dev
      .output()
      .replace(place, '.data/dev.sqlite')
      .replaceAll(addresses.wechat, 'http://127.0.0.1:3001')
      .replaceAll(addresses.gateway, 'http://127.0.0.1:3000')
    const lines = printed.split('\n')
    expect(
      shown
        .trimEnd()
        .split('\n')
        .filter((line) => !lines.includes(line)),
    ).toEqual([])
  })

  test.skipIf(!hasZsh)('a comment is noticed in zsh, which takes it for a command', async () => {
    const broken = changed(first, (code) => `# a comment\n${code}`)
    expect(await pasteWalk('zsh', broken, addresses)).toEqual([
      expect.stringContaining('command not found: #'),
    ])
  })
})

describe('the commands that pages name', () => {
  const commands = optionsByCommand([
    ...readPages().map(({ text }) => text),
    workflowSteps().join('\n'),
  ])

  test('are also those of the workflow for a CI: build once, deploy, look, go back', () => {
    const steps = workflowSteps()
    for (const step of ['package', 'deploy'])
      expect(steps.join('\n')).toContain(`npx serverless ${step} --stage`)
    expect(
      steps.filter((step) => !/^(npm ci$|touch |npm run |npx serverless )/.test(step)),
    ).toEqual([])
    expect(steps.at(-1)).toBe('npx serverless rollback --stage $STAGE')
  })

  test('are many', () => {
    expect(Object.keys(commands).length).toBeGreaterThan(10)
  })

  test.each(Object.entries(commands))('%s takes %j', async (command, options) => {
    const explained = await explainedOptions(command)
    expect(options.filter((option) => !explained.includes(option))).toEqual([])
    // The framework's own options are its own affair.
    const ours = command.startsWith('npm run ') && command !== 'npm run dev' ? explained : []
    expect(
      ours.filter(
        (option) => !['--help', '--silent'].includes(option) && !options.includes(option),
      ),
    ).toEqual([])
  })

  test('are all those with options', () => {
    const scripts = ownCommands().map((name) => `npm run ${name}`)
    expect(scripts.length).toBeGreaterThan(5)
    // The options of the one are those of invoke local; the other has none.
    const told = [...Object.keys(commands), 'npm run invoke', 'npm run runtime']
    expect(scripts.filter((name) => !told.includes(name))).toEqual([])
  })

  test('an option that a command does not have is found', async () => {
    const commands = optionsByCommand(['`npm run wechat -- --port 1 --beautiful`'])
    expect(commands).toEqual({ 'npm run wechat': ['--port', '--beautiful'] })
    const explained = await explainedOptions('npm run wechat')
    expect(explained).toContain('--port')
    expect(explained).not.toContain('--beautiful')
  })
})

/** What the workflow that operators are offered runs, in order. */
function workflowSteps(): string[] {
  const [block] = codeBlocks(section(readPage('scripts/README.md').text, 'Deploy')).filter(
    ({ language }) => language === 'yaml',
  )
  const { jobs } = parse(block?.code ?? '') as {
    jobs: Record<string, { steps: { run?: string }[] }>
  }
  return Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
}

const COMMAND = /^(npm run [a-z]+|npx serverless (?:deploy function|invoke local|[a-z]+))/
const OPTION = /--[A-Za-z][A-Za-z-]*/g

/** Options beside the command they are named with: in one piece of code, or in a row of a table that begins with it. */
function optionsByCommand(texts: readonly string[]): Record<string, string[]> {
  const found: Record<string, Set<string>> = {}
  const pieces = texts.flatMap((text) => [
    ...[...text.matchAll(/^\| `(.*)$/gm)].map(([, row = '']) => row),
    ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code),
    ...text.split('\n'),
  ])
  for (const piece of pieces) {
    const command = COMMAND.exec(piece)?.[1]
    const options = piece.match(OPTION)
    if (command === undefined || options === null) continue
    found[command] ??= new Set()
    for (const option of options) found[command].add(option)
  }
  return Object.fromEntries(Object.entries(found).map(([name, options]) => [name, [...options]]))
}

/** The options that the command's --help tells of. */
async function explainedOptions(command: string): Promise<string[]> {
  const [program = '', ...words] = command.replace(/^np[mx] (run )?/, '').split(' ')
  return [...new Set((await explanationOf(program, words)).match(OPTION) ?? [])]
}

async function explanationOf(program: string, words: readonly string[]): Promise<string> {
  if (program !== 'serverless' && program !== 'dev') return (await helpOfCommands())[program] ?? ''
  const started = startServerless([...(program === 'dev' ? ['offline'] : words), '--help'])
  expect(await started.exited).toBe(0)
  return started.output()
}

function textBlocks(text: string): string[] {
  return codeBlocks(text).flatMap(({ language, code }) => (language === 'text' ? code : []))
}

function changed(steps: readonly Step[], change: (code: string) => string): Step[] {
  return steps.map(({ code, answer }) => ({ code: change(code), answer }))
}
