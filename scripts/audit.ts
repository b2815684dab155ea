/** Prints the audit: which operator read when, and who was forgotten. Run with --help. */

import { auditPages } from '../shared/store/audit.ts'
import { AUDIT_KEEP_DAYS } from '../shared/store/maintenance.ts'
import { pseudonymsFrom } from '../shared/wiring/compose.ts'
import { runCommand } from './cli/command.ts'
import { stageOptions, stageUsage, withDatabase } from './database/with-database.ts'

const usage = `Usage: npm run audit -- --stage NAME [--since DAYSd] [--person USER-ID]

Prints when an operator read an account or its summary, and when somebody asked to be forgotten: time, event,
pseudonym of who did it, id of the request, oldest first. Lines of the log with the same id tell more. Rows are
kept for ${AUDIT_KEEP_DAYS} days.

${stageUsage}
  --since 30d         from so many days ago on; whole days, 30 unless told
  --person USER-ID    only what this person did: the stage's TOKEN_KEYS tell their pseudonym, as long as the first
                      key is the one of that time
  --help              this text`

const DAY_MS = 24 * 60 * 60 * 1000
const USER_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

await runCommand({
  usage,
  options: { ...stageOptions, since: { type: 'string' }, person: { type: 'string' } },
  async run({ since = '30d', person: userId, ...stage }) {
    const days = /^([1-9][0-9]{0,4})d$/.exec(since)?.[1]
    if (days === undefined) throw new Error(`--since needs a number of days, like 30d.\n\n${usage}`)
    if (userId !== undefined && !USER_ID.test(userId)) {
      throw new Error(`--person needs the id of a user, as POST /login answers it.\n\n${usage}`)
    }
    await withDatabase(stage, async (db, values) => {
      const wanted = userId && pseudonymsFrom(values).of('person', userId)
      let printed = 0
      for await (const page of auditPages(db, Date.now() - Number(days) * DAY_MS)) {
        for (const { atMs, event, person, requestId } of page) {
          if (wanted !== undefined && person !== wanted) continue
          printed++
          console.log([new Date(atMs).toISOString(), event, person, requestId].join('\t'))
        }
      }
      console.error(`${printed} rows of the last ${days} days.`)
    })
  },
})
