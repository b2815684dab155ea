/** Deletes old ratings in bounded batches. Run with --help. */

import { AUDIT_KEEP_DAYS, RETENTION_BATCH } from '../shared/store/maintenance.ts'
import { forgettingFrom } from '../shared/wiring/compose.ts'
import { progressLine, runCommand } from './cli/command.ts'
import {
  countOlderThan,
  deleteOldAudit,
  deleteOlderThan,
  deleteSpent,
} from './database/maintenance.ts'
import { stageOptions, stageUsage, withDatabase } from './database/with-database.ts'

const usage = `Usage: npm run retention -- --stage NAME --older-than DAYSd [--dry-run]

Deletes ratings older than so many days from the stage's database, some ${RETENTION_BATCH} in
one transaction, while submissions go on; counts stay exact. Also clears codes, counters and
sessions that are of no use any more, what is left of people who left, and rows of the audit
after ${AUDIT_KEEP_DAYS} days, however old ratings may get. Cut off, it is simply run again.

${stageUsage}
  --older-than 365d   how old; whole days
  --dry-run           only say how many there are
  --help              this text`

const DAY_MS = 24 * 60 * 60 * 1000

await runCommand({
  usage,
  options: {
    ...stageOptions,
    'older-than': { type: 'string' },
    'dry-run': { type: 'boolean' },
  },
  async run({ 'older-than': age = '', 'dry-run': isDryRun, ...stage }) {
    const days = /^([1-9][0-9]{0,4})d$/.exec(age)?.[1]
    if (days === undefined)
      throw new Error(`--older-than needs a number of days, like 365d.\n\n${usage}`)
    const nowMs = Date.now()
    const beforeMs = nowMs - Number(days) * DAY_MS
    await withDatabase(stage, async (db, values) => {
      if (isDryRun) {
        const count = await countOlderThan(db, beforeMs)
        return console.log(`${count} ratings are older than ${days} days.`)
      }
      const progress = progressLine()
      const deleted = await deleteOlderThan(db, beforeMs, ({ accounts, rows }) =>
        progress.show(`retention: ${rows} deleted, ${accounts} accounts done`),
      )
      const spent = await deleteSpent(db, nowMs - DAY_MS, (rows) =>
        progress.show(`retention: ${rows} spent codes, counters and sessions deleted`),
      )
      const audited = await deleteOldAudit(db, nowMs, (rows) =>
        progress.show(`retention: ${rows} rows of the audit deleted`),
      )
      const forgotten = await forgettingFrom(db, values).finish()
      progress.end()
      console.log(
        `Deleted ${deleted} ratings older than ${days} days, ${spent} spent codes, counters and sessions, ${audited} rows of the audit, and the last of ${forgotten} people who left.`,
      )
    })
  },
})
