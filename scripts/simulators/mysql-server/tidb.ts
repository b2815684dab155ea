/** TiDB with its embedded store, one process in place of a cluster, as `npm run engines` compiles it into the project's data folder. */

import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { dataFolder } from '../../cli/data-folder.ts'
import type { ServerProgram } from './server-program.ts'

/** Where engines compiled on this machine lie; git does not see it. */
export const enginesFolder = join(dataFolder, 'engines')

/** @returns undefined when none was compiled here */
export function findTiDb(): ServerProgram | undefined {
  const program = join(enginesFolder, 'tidb-server')
  if (!existsSync(program)) return undefined
  return {
    kind: 'TiDB',
    command: [program],
    optionsFor: (places) => [
      '--store=unistore',
      `--path=${places.dataFolder}`,
      `--temp-dir=${places.temporaryFolder}`,
      `--socket=${join(places.dataFolder, places.socketPath)}`,
      `--initialize-sql-file=${places.initPath}`,
      '--host=127.0.0.1',
      `-P=${places.port}`,
      '--report-status=false',
      '-L=error',
    ],
    createData: async (emptyFolder) => void (await mkdir(emptyFolder)),
  }
}
