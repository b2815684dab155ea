import { createRequire } from 'node:module'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Framework } from '../../../scripts/tencent/framework.ts'
import { TencentProvider } from '../../../scripts/tencent/plugin.ts'
import { startServerless } from '../../support/local-command.ts'

interface Schema {
  usage: string
  isHidden?: boolean
  options: Record<string, { usage: string }>
}

const common = ['config', 'debug', 'help', 'param', 'stage', 'verbose', 'version']

/** What the framework would list, with the plugin in it. */
let commands: Map<string, Schema>
beforeAll(() => {
  const nothing = () => {}
  const framework = {
    service: { provider: { name: 'tencent' } },
    setProvider: nothing,
    configSchemaHandler: { defineProvider: nothing, defineFunctionEvent: nothing },
  } as unknown as Framework
  const plugin = new TencentProvider(
    framework,
    {},
    {
      writeText: nothing,
      log: { notice: nothing, warning: nothing },
    },
  )
  const resolveFinal = createRequire(import.meta.url)('osls/lib/cli/commands-schema/resolve-final')
  commands = resolveFinal(new Set([plugin]), { providerName: 'tencent' })
})

function optionsOf(command: string): string[] {
  return Object.keys(commands.get(command)?.options ?? {}).filter((each) => !common.includes(each))
}

describe('--help', () => {
  test.each([
    ['package', ['package', 'region']],
    ['info', ['json', 'region']],
    ['invoke', ['data', 'function', 'log', 'path', 'qualifier', 'raw', 'region']],
    ['logs', ['filter', 'function', 'interval', 'region', 'startTime', 'tail']],
    ['remove', ['region', 'yes']],
    [
      'offline',
      [
        'data-folder',
        'database',
        'inspect',
        'platform-log',
        'profile',
        'strict-codes',
        'watch',
        'wechat',
      ],
    ],
    [
      'invoke local',
      [
        'data',
        'database',
        'function',
        'inspect',
        'path',
        'platform-log',
        'profile',
        'raw',
        'wechat',
      ],
    ],
  ])('of %s lists the options that do something here, and no others', (command, options) => {
    expect(optionsOf(command).sort()).toEqual(options)
  })

  test('of deploy lists what deploy takes, and nothing of another cloud', () => {
    for (const command of ['deploy', 'deploy function']) {
      expect(optionsOf(command)).toEqual(expect.arrayContaining(['dry-run', 'force', 'region']))
    }
  })

  test('says nothing of another cloud anywhere', () => {
    const words = [...commands]
      .filter(([, { isHidden }]) => !isHidden)
      .flatMap(([name, { usage, options }]) => [
        `${name}: ${usage}`,
        ...Object.entries(options).map(([option, each]) => `${name} --${option}: ${each.usage}`),
      ])
    const foreign = /aws|s3|cloudformation|lambda|api gateway|layers|docker|ruby|durable/i
    expect(words.filter((each) => foreign.test(each))).toEqual([])
    expect(words.length).toBeGreaterThan(50)
  })

  test('is what the command prints, and an option of another cloud is refused', async () => {
    const help = startServerless(['deploy', '--help'])
    const foreign = startServerless(['deploy', '--aws-s3-accelerate', '--stage', 'prod'])
    expect(await Promise.all([help.exited, foreign.exited])).toEqual([0, 1])
    expect(help.output()).toContain('--dry-run')
    expect(help.output()).not.toContain('aws')
    expect(foreign.output()).toContain('unrecognized CLI options: "--aws-s3-accelerate"')
  })
})
