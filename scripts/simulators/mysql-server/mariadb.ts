/** MariaDB as Debian's `mariadb-server-core` or `brew install mariadb` brings it. */

import { runProgram } from './run-program.ts'
import { asThisUser, findProgram, type ServerProgram } from './server-program.ts'

/** @returns undefined when MariaDB's programs are not on this machine */
export function findMariaDb(): ServerProgram | undefined {
  const install = findProgram('mariadb-install-db')
  const server = findProgram('mariadbd')
  if (install === undefined || server === undefined) return undefined
  return {
    kind: 'MariaDB',
    command: [server, '--no-defaults'],
    options: ['--innodb-log-file-size=16M'],
    async createData(dataFolder) {
      await runProgram(install, [
        '--no-defaults',
        ...asThisUser,
        `--datadir=${dataFolder}`,
        '--skip-test-db',
        '--skip-name-resolve',
        '--innodb-buffer-pool-size=16M',
        '--innodb-log-file-size=16M',
      ])
    },
  }
}
