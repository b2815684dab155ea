/** The Serverless Framework's provider `tencent`: its schema, and a table of commands. */
import { CommandProblem } from '../cli/problem.ts'
import type { Stage } from '../cli/stage.ts'
import { type Command, contextFor, openStage } from './commands/context.ts'
import { deployCommand } from './commands/deploy.ts'
import { infoCommand } from './commands/info.ts'
import { invokeCommand } from './commands/invoke.ts'
import { invokeLocalCommand, offlineCommand } from './commands/local.ts'
import { logsCommand } from './commands/logs.ts'
import { packageCommand } from './commands/package.ts'
import { removeCommand } from './commands/remove.ts'
import { rollbackCommand } from './commands/rollback.ts'
import { eventSchemas, providerSchema } from './config-schema.ts'
import type { CliOptions, CommandDefinition, Framework, Writers } from './framework.ts'
import { describeFrameworkCommands } from './framework-commands.ts'

const commands: readonly Command[] = [
  packageCommand,
  deployCommand,
  infoCommand,
  invokeCommand,
  invokeLocalCommand,
  logsCommand,
  offlineCommand,
  removeCommand,
  rollbackCommand,
]

type Hook = () => Promise<void>

export class TencentProvider {
  readonly provider = 'tencent'
  readonly commands: Record<string, CommandDefinition>
  readonly hooks: Record<string, Hook>

  constructor(framework: Framework, _options: CliOptions, writers: Writers) {
    if (framework.service.provider.name === 'tencent') {
      describeFrameworkCommands()
      framework.setProvider('tencent', this)
      framework.configSchemaHandler.defineProvider('tencent', providerSchema)
      for (const [event, schema] of Object.entries(eventSchemas))
        framework.configSchemaHandler.defineFunctionEvent('tencent', event, schema)
    }
    this.commands = Object.assign({}, ...commands.map(({ definitions }) => definitions ?? {}))
    this.hooks = {}
    let stage: Promise<Stage> | undefined
    for (const command of commands)
      for (const [event, work] of Object.entries(command.hooks))
        this.hooks[event] = async () => {
          try {
            // A command may have several moments; its first line is said once, before anything is done.
            stage ??= openStage(command, framework, writers)
            await work(contextFor(framework, writers, await stage))
          } catch (error) {
            if (!(error instanceof CommandProblem)) throw error
            throw new framework.classes.Error(error.message, 'TENCENT_CLOUD')
          }
        }
  }
}
