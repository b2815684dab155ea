/** Every endpoint there is, found in the files, so that a new one cannot be forgotten. */

import { readdirSync } from 'node:fs'
import { functionNames, projectFolder } from '../../scripts/build/bundle.ts'
import type { AnyEndpoint } from '../../shared/endpoint.ts'

export async function findEndpoints(): Promise<AnyEndpoint<unknown>[]> {
  const found: AnyEndpoint<unknown>[] = []
  for (const name of functionNames) {
    const folder = `${projectFolder}functions/${name}/`
    for (const file of readdirSync(folder).filter((each) => each !== 'index.ts')) {
      const exported = Object.values((await import(`${folder}${file}`)) as Record<string, unknown>)
      for (const each of exported) {
        if (typeof each === 'object' && each !== null && 'route' in each && 'handle' in each) {
          found.push(each as AnyEndpoint<unknown>)
        }
      }
    }
  }
  return found
}
