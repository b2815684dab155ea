/** `serverless offline`: everything on this machine, behind a gateway; what `npm run dev` runs. */
import { DeployProblem } from '../problem.ts'
import { type Command, type CommandContext, textOption } from './context.ts'
import { loadLocal, localFunction } from './local-function.ts'
import {
  inspectOption,
  inspectPortOf,
  platformLogOption,
  profileOf,
  profileOption,
} from './local-options.ts'

async function serve({ options, service }: CommandContext): Promise<void> {
  const { startOffline } = await loadLocal(() => import('../../local/offline.ts'))
  const variables = Object.assign({}, ...service.functions.map((wanted) => wanted.variables))
  const offline = await startOffline({
    functions: service.functions.map(localFunction),
    environment: { ...process.env, ...variables },
    profile: profileOf(options) ?? 'function-url',
    isWatching: options.watch === true,
    inspectPort: inspectPortOf(options),
    hasPlatformLog: options['platform-log'] === true,
    folder: textOption(options, 'data-folder'),
    print: (line) => console.log(line),
  }).catch((error: Error) => {
    throw new DeployProblem(error.message)
  })
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  await offline.close()
}

export const offlineCommand: Command = {
  definitions: {
    offline: {
      usage: 'Run everything on this machine: a database, an offline WeChat and the functions',
      lifecycleEvents: ['serve'],
      options: {
        watch: { usage: 'Rebuild when a source file changes', type: 'boolean' },
        inspect: inspectOption,
        profile: profileOption,
        'platform-log': platformLogOption,
        'data-folder': {
          usage: 'Where the database file and local secrets live (.data)',
          type: 'string',
        },
      },
    },
  },
  hooks: { 'offline:serve': serve },
}
