/** The way from serverless.yml to the local runners. */
import type { LocalFunction } from '../../local/service.ts'
import type { DesiredFunction } from '../service.ts'

/** A function as the local runners want it. */
export function localFunction(wanted: DesiredFunction): LocalFunction {
  return {
    name: wanted.key,
    timeoutMs: wanted.timeoutSeconds * 1000,
    memoryMegabytes: wanted.memorySize,
    // The framework's own invoke local adds this one to every function; the cloud does not.
    variables: wanted.declared.filter((name) => name !== 'IS_LOCAL'),
    paths: [...wanted.paths],
    handler: wanted.handler.split('.')[1] ?? 'main_handler',
  }
}

/**
 * Loads a local runner only when its command is asked for: it brings a database, a WeChat and the functions' own
 * code. The shim that loads this plugin covers require(); import() needs its own.
 */
export async function loadLocal<Module>(load: () => Promise<Module>): Promise<Module> {
  const { register } = await import('tsx/esm/api')
  register()
  return load()
}
