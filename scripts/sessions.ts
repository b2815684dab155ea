/** Ends everybody's sessions: after a restore, or when a key has leaked. Run with --help. */

import { createSessionEnding } from '../shared/store/sessions.ts'
import { progressLine, runCommand } from './cli/command.ts'
import { endAllSessions } from './database/end-all-sessions.ts'
import { stageOptions, stageUsage, withDatabase } from './database/with-database.ts'

const usage = `Usage: npm run sessions -- end-all --stage NAME [--dry-run]

Ends every session that began before now, on every device. Their tokens are refused at once. Mini programs get a
401, fail to refresh, and log in anew by themselves; people see nothing of it. Sessions that begin meanwhile go on.
May be cut off and run again.

${stageUsage}
  --dry-run           only say how many there are
  --help              this text`

await runCommand({
  usage,
  options: { ...stageOptions, 'dry-run': { type: 'boolean' } },
  takesWords: true,
  async run({ 'dry-run': isDryRun = false, ...stage }, [action = '', ...others]) {
    if (others.length > 0 || action !== 'end-all') throw new Error(usage)
    await withDatabase(stage, async (db) => {
      const progress = progressLine()
      const { sessions, people } = await endAllSessions(createSessionEnding(db), {
        nowMs: Date.now(),
        isDryRun,
        onProgress: (done) =>
          progress.show(`end-all: ${done.sessions} sessions of ${done.people} people`),
      })
      progress.end()
      const did = isDryRun ? 'There are' : 'Ended'
      console.log(`${did} ${sessions} sessions of ${people} people.`)
    })
  },
})
