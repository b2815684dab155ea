/** The part of the Serverless Framework (osls 4) that the provider uses; its own typings describe AWS only. */

import type { FunctionBlock, ProviderBlock } from '../service/blocks.ts'

export interface CommandOption {
  usage: string
  type: 'string' | 'boolean' | 'multiple'
  shortcut?: string
  required?: boolean
}

/** A command added to the framework, or options added to one of its own. */
export interface CommandDefinition {
  usage?: string
  lifecycleEvents?: string[]
  options?: Record<string, CommandOption>
  commands?: Record<string, CommandDefinition>
}

export type CliOptions = Readonly<Record<string, string | boolean | string[] | null | undefined>>

export interface Framework {
  serviceDir: string
  service: {
    service: string
    provider: ProviderBlock
    functions: Record<string, FunctionBlock>
    package: { path?: string }
  }
  processedInput: { command: string; options: CliOptions }
  classes: { Error: new (message: string, code: string) => Error }
  configSchemaHandler: {
    defineProvider(name: string, schema: object): void
    defineFunctionEvent(provider: string, event: string, schema: object): void
  }
  setProvider(name: string, provider: object): void
}

export interface Writers {
  /** To stdout: what a command was asked for. */
  writeText(text: string | string[]): void
  /** To stderr: what is going on. */
  log: { notice(text: string): void; warning(text: string): void }
}
