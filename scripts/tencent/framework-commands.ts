/**
 * The framework's own commands, described and reduced to what they are here. It describes them for another cloud, and a
 * plugin can only add options: so what `--help` lists is taken from its tables before it reads them.
 */

import { createRequire } from 'node:module'

interface FrameworkCommand {
  usage: string
  /** Of the framework's options those that do something here; our own come with each command's definition. */
  options: readonly string[]
}

const commands: Readonly<Record<string, FrameworkCommand>> = {
  package: {
    usage: 'Make the zips, without network or credentials',
    options: ['package', 'region'],
  },
  deploy: { usage: 'Deploy what differs', options: ['package', 'force'] },
  'deploy function': { usage: 'Deploy one function', options: ['function', 'force'] },
  info: { usage: 'Say what is deployed, and whether it runs', options: [] },
  invoke: {
    usage: 'Call a deployed event function with an event',
    options: ['function', 'qualifier', 'path', 'log', 'data', 'raw'],
  },
  'invoke local': {
    usage: 'Run one function on an event on this machine',
    options: ['function', 'path', 'data', 'raw'],
  },
  logs: {
    usage: 'Show the log of a deployed function',
    options: ['function', 'tail', 'startTime', 'filter', 'interval'],
  },
  remove: { usage: 'Take the functions, their URLs and their routes away', options: [] },
  print: {
    usage: 'Show serverless.yml as the framework reads it, with references and no values',
    options: ['format', 'path', 'transform', 'region'],
  },
}

/** Of another cloud, or of no use to a service that is there; `doctor` is not ours either (`npm run doctor`). */
const hidden = ['config', 'config credentials', 'create', 'doctor', 'generate-event', 'install']

const optionWords: Readonly<Record<string, string>> = {
  stage: 'The stage: its values stand in .env.STAGE; stage local is this machine',
  path: 'A JSON file with the event',
  data: 'The event, as JSON',
  raw: 'Pass --data as text',
  package: 'The folder of the zips (.serverless)',
  force: 'Also what does not differ',
  filter: 'Only lines that contain this text',
  qualifier: 'Which version ($LATEST)',
  log: 'Show what it printed, too',
}

interface Schema {
  usage?: string
  groupName?: string
  isHidden?: boolean
  options?: Record<string, { usage?: string; type?: string }>
}

/** Once, before the framework joins the definitions of plugins to its own. */
export function describeFrameworkCommands(): void {
  const ofFramework = createRequire(import.meta.url)
  const tables = ['service', 'aws-service'].map(
    (name) => ofFramework(`osls/lib/cli/commands-schema/${name}`) as Map<string, Schema>,
  )
  for (const table of tables) {
    for (const [name, { usage, options: kept }] of Object.entries(commands)) {
      const schema = table.get(name)
      if (!schema) continue
      schema.usage = usage
      // They are listed once, as the plugin's.
      if (name !== 'print') delete schema.groupName
      for (const option of Object.keys(schema.options ?? {}))
        if (!kept.includes(option) && !(option in commonOptions(table)))
          delete schema.options?.[option]
      for (const [option, described] of Object.entries(schema.options ?? {}))
        if (name !== 'print' && optionWords[option]) described.usage = optionWords[option]
    }
    for (const name of hidden) {
      const schema = table.get(name)
      if (schema) schema.isHidden = true
    }
  }
}

function commonOptions(table: Map<string, Schema>): object {
  const {
    region: _,
    'aws-profile': __,
    ...common
  } = (table as unknown as { commonOptions: Record<string, object> }).commonOptions
  return common
}
