/** The Serverless Framework's provider `tencent`: its schema, and a table of commands. */
import { type Command, contextFor, sentenceFor } from './commands/context.ts'
import { deployCommand } from './commands/deploy.ts'
import { infoCommand } from './commands/info.ts'
import { invokeCommand } from './commands/invoke.ts'
import { invokeLocalCommand } from './commands/invoke-local.ts'
import { logsCommand } from './commands/logs.ts'
import { offlineCommand } from './commands/offline.ts'
import { packageCommand } from './commands/package.ts'
import { removeCommand } from './commands/remove.ts'
import { eventSchemas, providerSchema } from './config-schema.ts'
import type { CliOptions, CommandDefinition, Framework, Writers } from './framework.ts'

const commands: readonly Command[] = [
  packageCommand,
  deployCommand,
  infoCommand,
  invokeCommand,
  invokeLocalCommand,
  logsCommand,
  offlineCommand,
  removeCommand,
]

type Hook = () => Promise<void>

export class TencentProvider {
  readonly provider = 'tencent'
  readonly commands: Record<string, CommandDefinition>
  readonly hooks: Record<string, Hook>

  constructor(framework: Framework, _options: CliOptions, writers: Writers) {
    if (framework.service.provider.name === 'tencent') {
      framework.setProvider('tencent', this)
      framework.configSchemaHandler.defineProvider('tencent', providerSchema)
      for (const [event, schema] of Object.entries(eventSchemas))
        framework.configSchemaHandler.defineFunctionEvent('tencent', event, schema)
    }
    this.commands = Object.assign({}, ...commands.map(({ definitions }) => definitions ?? {}))
    this.hooks = {}
    for (const [event, work] of commands.flatMap(({ hooks }) => Object.entries(hooks)))
      this.hooks[event] = async () => {
        try {
          await work(contextFor(framework, writers))
        } catch (error) {
          const sentence = sentenceFor(error)
          if (sentence === undefined) throw error
          throw new framework.classes.Error(sentence, 'TENCENT_CLOUD')
        }
      }
  }
}
