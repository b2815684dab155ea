/** The functions that serverless.yml declares, with none of a stage's values. */

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parse } from 'yaml'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { type DesiredFunction, desiredService } from '../../scripts/service/service.ts'

export async function readService(): Promise<readonly DesiredFunction[]> {
  const text = await readFile(path.join(projectFolder, 'serverless.yml'), 'utf8')
  return desiredService(parse(text)).functions
}
