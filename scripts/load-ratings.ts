/** Fills a database with made-up ratings, for trying things at size. Run with --help. */

import { loadRatings } from './bench/load-ratings.ts'
import { runCommand } from './cli/command.ts'

const usage = `Usage: npx tsx scripts/load-ratings.ts --database mysql://user:password@host:3306/database [options]

Fills an empty database with made-up ratings, the same ones for the same numbers; migrations are applied first.

  --database URL   a MySQL or MariaDB
  --rows N         how many (default 1000000)
  --hot-share F    part of them that the account 13800138000 gets (default 0.15)
  --resume         go on where an earlier load with the same numbers was cut off
  --help           this text`

await runCommand({
  usage,
  options: {
    database: { type: 'string', default: '' },
    rows: { type: 'string', default: '1000000' },
    'hot-share': { type: 'string', default: '0.15' },
    resume: { type: 'boolean', default: false },
  },
  async run({ database: databaseUrl, rows: rowsText, 'hot-share': share, resume }) {
    if (!databaseUrl.startsWith('mysql://')) {
      throw new Error(`--database should be a mysql:// address.\n\n${usage}`)
    }
    const rows = Number(rowsText)
    if (!/^[0-9]{1,9}$/.test(rowsText) || rows < 10) {
      throw new Error(`--rows should be a whole number of at least 10, not "${rowsText}".`)
    }
    const hotShare = Number(share)
    if (!(hotShare > 0 && hotShare < 1)) {
      throw new Error(`--hot-share should be between 0 and 1, not "${share}".`)
    }
    const progress = (line: string): void => console.log(line)
    await loadRatings({ databaseUrl, rows, hotShare, resume, progress })
  },
})
