/** The part of the Serverless Framework (osls 4) that the provider uses; its own typings describe AWS only. */

interface HttpEvent {
  http: { paths?: string[] }
}
interface TimerEvent {
  timer: {
    name?: string
    parameters: { cronExpression: string; enable?: boolean; argument?: string }
  }
}
export interface SharedSettings {
  runtime?: string
  memorySize?: number
  timeout?: number
  environment?: Record<string, unknown>
  vpcConfig?: { vpcId?: string | null; subnetId?: string | null }
  role?: string | null
  cls?: { logsetId?: string | null; topicId?: string | null }
}

export interface FunctionBlock extends SharedSettings {
  name: string
  handler?: string
  type?: 'event' | 'web'
  description?: string
  events: (HttpEvent | TimerEvent)[]
  package?: { artifact?: string }
}

export interface ProviderBlock extends SharedSettings {
  name: string
  stage: string
  region?: string
  namespace?: string
  customDomain?: {
    domain?: string | null
    protocol?: 'HTTP' | 'HTTPS' | 'HTTP&HTTPS'
    certificateId?: string | null
  }
}

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
