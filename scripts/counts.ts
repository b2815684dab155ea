/** Checks or rebuilds the folded counts of all accounts. Run with --help. */

import { progressLine, runCommand } from './cli/command.ts'
import { foldAll, rebuildCounts, verifyCounts } from './database/maintenance.ts'
import { stageOptions, stageUsage, withDatabase } from './database/with-database.ts'

const usage = `Usage: npm run counts -- verify|rebuild|fold --stage NAME

Works on the stage's database while submissions go on.

  verify              compares folded counts with the ratings they stand for; exit code 1 when one differs
  rebuild             counts all accounts anew
  fold                folds what has not been folded yet, so that the next reader need not
${stageUsage}
  --help              this text`

await runCommand({
  usage,
  options: stageOptions,
  takesWords: true,
  async run(stage, [action = '', ...others]) {
    if (others.length > 0 || !['verify', 'rebuild', 'fold'].includes(action)) throw new Error(usage)
    await withDatabase(stage, async (db) => {
      const progress = progressLine()
      let done = { accounts: 0, rows: 0 }
      const onProgress = (state: { accounts: number; rows: number }): void => {
        done = state
        progress.show(`${action}: ${state.accounts} accounts, ${state.rows} ratings`)
      }
      if (action === 'verify') {
        const wrong = await verifyCounts(db, onProgress)
        progress.end()
        if (wrong.length > 0) {
          // Account numbers are phone numbers: their count is enough to know what to do.
          throw new Error(
            `The counts of ${wrong.length} of ${done.accounts} accounts differ. Run: npm run counts -- rebuild --stage ${stage.stage}`,
          )
        }
      } else if (action === 'rebuild') await rebuildCounts(db, Date.now, onProgress)
      else await foldAll(db, Date.now, onProgress)
      progress.end()
      console.log(`${action}: ${done.accounts} accounts, ${done.rows} folded ratings, all exact.`)
    })
  },
})
