/** `serverless invoke local`: one function on one event, on this machine; exit code 1 when it failed. */
import type { CommandDefinition } from '../framework.ts'
import { DeployProblem } from '../problem.ts'
import { functionCalled } from '../service.ts'
import { type Command, type CommandContext, textOption } from './context.ts'
import { readEvent } from './event-input.ts'
import { loadLocal, localFunction } from './local-function.ts'
import {
  inspectOption,
  inspectPortOf,
  platformLogOption,
  profileOf,
  profileOption,
} from './local-options.ts'

async function invoke(context: CommandContext): Promise<void> {
  const { options, service, tell, print } = context
  const { invokeLocal } = await loadLocal(() => import('../../local/invoke-local.ts'))
  const wanted = functionCalled(service, textOption(options, 'function') ?? '')
  const invocation = await invokeLocal({
    declared: localFunction(wanted),
    event: await readEvent(context),
    environment: { ...process.env, ...wanted.variables },
    profile: profileOf(options),
    inspectPort: inspectPortOf(options),
    onLine: tell,
    onPlatformLine: options['platform-log'] ? tell : undefined,
  }).catch((error: Error) => {
    throw new DeployProblem(error.message)
  })
  if (invocation.ok) return print(JSON.stringify(invocation.result, null, 2))
  print(JSON.stringify(invocation.error, null, 2))
  throw new DeployProblem(
    `${wanted.key} failed with ${invocation.error.statusCode}: ${invocation.error.errorMessage}.`,
  )
}

/** Joined to the definition of `invoke`. */
export const invokeLocalDefinition: CommandDefinition = {
  options: {
    inspect: inspectOption,
    profile: profileOption,
    'platform-log': platformLogOption,
  },
}

export const invokeLocalCommand: Command = { hooks: { 'invoke:local:invoke': invoke } }
