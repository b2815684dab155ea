/** What serverless.yml says of each function, as far as running it locally needs it. */

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parse } from 'yaml'
import { projectFolder } from '../build/bundle.ts'

export interface LocalFunction {
  name: string
  timeoutMs: number
  memoryMegabytes: number
  /** Names of the variables this function is given, and no others. */
  variables: string[]
  /** Paths as a custom domain matches them: exact, or with `/*` at the end. */
  paths: string[]
  /** What the platform calls in index.js. */
  handler: string
}

interface FunctionSettings {
  timeout?: number
  handler?: string
  memorySize?: number
  environment?: Record<string, unknown>
  events?: { http?: { paths?: string[] } }[]
}

interface ServiceSettings {
  provider: FunctionSettings
  functions: Record<string, FunctionSettings>
}

/** Reads serverless.yml without resolving its variables: only names and numbers are used. */
export async function readService(): Promise<LocalFunction[]> {
  const source = await readFile(path.join(projectFolder, 'serverless.yml'), 'utf8')
  const { provider, functions } = parse(source) as ServiceSettings
  return Object.entries(functions).map(([name, settings]) => ({
    name,
    timeoutMs: (settings.timeout ?? provider.timeout ?? 10) * 1000,
    memoryMegabytes: settings.memorySize ?? provider.memorySize ?? 128,
    variables: Object.keys({ ...provider.environment, ...settings.environment }),
    handler: (settings.handler ?? 'index.main_handler').split('.')[1] ?? 'main_handler',
    paths: (settings.events ?? []).flatMap(({ http }) => http?.paths ?? []),
  }))
}

/** Whether a request path falls under one of a function's paths. */
export function matchesPath({ paths }: LocalFunction, requestPath: string): boolean {
  return paths.some((each) =>
    each.endsWith('/*') ? requestPath.startsWith(each.slice(0, -1)) : requestPath === each,
  )
}
