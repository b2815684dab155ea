/** A function of serverless.yml as the local runners want it. */
import type { LocalFunction } from '../../local/service.ts'
import type { DesiredFunction } from '../service.ts'

export const localFunction = (wanted: DesiredFunction): LocalFunction => ({
  name: wanted.key,
  timeoutMs: wanted.timeoutSeconds * 1000,
  memoryMegabytes: wanted.memorySize,
  variables: [...wanted.declared],
  paths: [...wanted.paths],
  handler: wanted.handler.split('.')[1] ?? 'main_handler',
})
