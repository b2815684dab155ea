/** `serverless offline` and `serverless invoke local`: stage local, on this machine alone. */

import { portOf } from '../../cli/command.ts'
import { CommandProblem } from '../../cli/problem.ts'
import { localSettings } from '../../cli/stage.ts'
import { type EventProfile, eventProfiles } from '../../local/events.ts'
import { type LineOutput, lineFormat } from '../../local/log-lines.ts'
import { functionCalled } from '../../service/service.ts'
import type { CliOptions, CommandDefinition, CommandOption } from '../framework.ts'
import { type Command, type CommandContext, loaded, textOption } from './context.ts'
import { readEvent } from './event-input.ts'

const sharedOptions: Record<string, CommandOption> = {
  database: {
    usage: 'Another database than .data/dev.sqlite: mysql://…, planetscale+mysql://…, sqlite:FILE',
    type: 'string',
  },
  wechat: {
    usage:
      'Another WeChat than the offline one, with WECHAT_APPID and WECHAT_SECRET of the environment',
    type: 'string',
  },
  inspect: { usage: 'Let a debugger attach on this port, such as 9229', type: 'string' },
  profile: {
    usage: `The trigger whose events to make: ${eventProfiles.join(', ')}`,
    type: 'string',
  },
  'platform-log': {
    usage: 'Print what the platform would log as well, the return value included',
    type: 'boolean',
  },
}

function inspectPortOf({ inspect }: CliOptions): number | undefined {
  return typeof inspect === 'string' ? portOf('--inspect', inspect) : undefined
}

function profileOf(options: CliOptions): EventProfile | undefined {
  const value = textOption(options, 'profile')
  const known = eventProfiles.find((profile) => profile === value)
  if (value !== undefined && known === undefined)
    throw new CommandProblem(`--profile is one of ${eventProfiles.join(', ')}, not "${value}".`)
  return known
}

/** Failures of a local run are sentences for a person. */
function inWords(error: Error): never {
  throw new CommandProblem(error.message)
}

/** Prints lines as `output` is one for people or for programs. */
function printer(output: LineOutput, write: (line: string) => void): (line: string) => void {
  const format = lineFormat(output)
  return (line) => write(format(line))
}

async function offline({ options, service, stage }: CommandContext): Promise<void> {
  const { runOffline } = await loaded(() => import('../../local/offline.ts'))
  await runOffline({
    functions: service.functions,
    stage,
    profile: profileOf(options) ?? 'function-url',
    isWatching: options.watch === true,
    inspectPort: inspectPortOf(options),
    hasPlatformLog: options['platform-log'] === true,
    hasStrictCodes: options['strict-codes'] === true,
    folder: textOption(options, 'data-folder'),
    env: process.env,
    print: printer(process.stdout, console.log),
  }).catch(inWords)
}

export const offlineCommand: Command = {
  stage: 'local',
  definitions: {
    offline: {
      usage: `Run everything on this machine: a database, an offline WeChat and the functions. Reads no .env file; of the environment PORT, WECHAT_PORT and ${localSettings.join(', ')}`,
      lifecycleEvents: ['serve'],
      options: {
        ...sharedOptions,
        watch: { usage: 'Rebuild when a source file changes', type: 'boolean' },
        'strict-codes': {
          usage: 'Refuse login codes of the WeChat DevTools, which the offline WeChat did not make',
          type: 'boolean',
        },
        'data-folder': {
          usage: 'Where the database file and local secrets live (.data)',
          type: 'string',
        },
      },
    },
  },
  hooks: { 'offline:serve': offline },
}

async function invoke(context: CommandContext): Promise<void> {
  const { options, service, stage, tell, print } = context
  const { invokeLocal } = await loaded(() => import('../../local/invoke-local.ts'))
  const wanted = functionCalled(service, textOption(options, 'function') ?? '')
  const invocation = await invokeLocal({
    wanted,
    stage,
    event: await readEvent(context),
    profile: profileOf(options),
    inspectPort: inspectPortOf(options),
    print: printer(process.stderr, tell),
    hasPlatformLog: options['platform-log'] === true,
  }).catch(inWords)
  const { ok, requestId } = invocation
  const reply = ok ? invocation.result : invocation.error
  print(JSON.stringify(reply, null, 2))
  const { statusCode = 200 } = (reply ?? {}) as { statusCode?: number }
  if (!ok || statusCode >= 500)
    throw new CommandProblem(`${wanted.key} failed with ${statusCode} (request ${requestId}).`)
}

/** Joined to the definition of `invoke`. */
export const invokeLocalDefinition: CommandDefinition = { options: sharedOptions }

export const invokeLocalCommand: Command = {
  stage: 'local',
  hooks: { 'invoke:local:invoke': invoke },
}
