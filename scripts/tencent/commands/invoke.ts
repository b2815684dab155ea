/** `serverless invoke`: calls a deployed function through the API and prints its result; exit code 1 when it failed. */

import { CommandProblem } from '../../cli/problem.ts'
import { functionCalled } from '../../service/service.ts'
import { liveAlias } from '../releases.ts'
import { functionNamed } from '../waiting.ts'
import { type Command, type CommandContext, regionOption, textOption } from './context.ts'
import { readEvent } from './event-input.ts'
import { invokeLocalDefinition } from './local.ts'

/** For the way there and back, on top of the function's own timeout. */
const spareSeconds = 15

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

async function invoke(context: CommandContext): Promise<void> {
  const { options } = context
  const wanted = functionCalled(context.service, textOption(options, 'function') ?? '')
  if (wanted.type === 'web')
    throw new CommandProblem(
      `${wanted.key} is a Web function, which the cloud calls only through its URL ("serverless info" shows it).`,
    )
  const event = await readEvent(context)
  const cloud = await context.connect()
  const { Result } = await cloud.call(
    'Invoke',
    {
      ...functionNamed(wanted.name, cloud),
      Qualifier: textOption(options, 'qualifier') ?? liveAlias,
      InvocationType: 'RequestResponse',
      ClientContext: JSON.stringify(event),
      LogType: options.log ? 'Tail' : 'None',
    },
    { timeoutSeconds: wanted.timeoutSeconds + spareSeconds },
  )
  context.tell(
    `${wanted.key}: ${Result?.Duration ?? '?'} ms, request ${Result?.FunctionRequestId ?? '?'}`,
  )
  if (options.log && Result?.Log) context.tell(Result.Log)
  if (Result?.ErrMsg || Result?.InvokeResult)
    throw new CommandProblem(
      `${wanted.key} failed (request ${Result.FunctionRequestId}): ${Result.ErrMsg || Result.RetMsg}`,
    )
  context.print(pretty(Result?.RetMsg ?? ''))
}

export const invokeCommand: Command = {
  definitions: { invoke: { options: regionOption, commands: { local: invokeLocalDefinition } } },
  hooks: { 'invoke:invoke': invoke },
}
