/** Checks or rebuilds the folded counts of all accounts. Run with --help. */

import type { Db } from '../shared/store/db.ts'
import { progressLine, runCommand } from './cli/command.ts'
import { foldAll, type OnProgress, rebuildCounts, verifyCounts } from './database/maintenance.ts'
import { stageOptions, stageUsage, withDatabase } from './database/with-database.ts'

const usage = `Usage: npm run counts -- verify|rebuild|fold --stage NAME

Works on the stage's database while submissions go on.

  verify              compares folded counts with the ratings they stand for; exit code 1 when one differs
  rebuild             counts all accounts anew
  fold                folds what has not been folded yet, so that the next reader need not: after a restore or an import
${stageUsage}
  --help              this text`

type Action = 'verify' | 'rebuild' | 'fold'

/** What is known of the ratings once it is done; only who compared says exact. */
const outcomes: Readonly<Record<Action, string>> = {
  verify: 'folded ratings compared with their counts, all exact',
  rebuild: 'ratings counted anew',
  fold: 'ratings folded',
}

function isAction(word: string): word is Action {
  return word in outcomes
}

/** Resolves to the accounts whose counts are wrong, as far as the action can tell. */
async function run(action: Action, db: Db, onProgress: OnProgress): Promise<string[]> {
  if (action === 'verify') return verifyCounts(db, onProgress)
  if (action === 'rebuild') await rebuildCounts(db, Date.now, onProgress)
  else await foldAll(db, Date.now, onProgress)
  return []
}

await runCommand({
  usage,
  options: stageOptions,
  takesWords: true,
  async run(stage, [action = '', ...others]) {
    if (others.length > 0 || !isAction(action)) throw new Error(usage)
    await withDatabase(stage, async (db) => {
      const progress = progressLine()
      let done = { accounts: 0, rows: 0 }
      const onProgress = (state: { accounts: number; rows: number }): void => {
        done = state
        progress.show(`${action}: ${state.accounts} accounts, ${state.rows} ratings`)
      }
      const wrong = await run(action, db, onProgress)
      progress.end()
      if (wrong.length > 0) {
        // Account numbers are phone numbers: their count is enough to know what to do.
        throw new Error(
          `The counts of ${wrong.length} of ${done.accounts} accounts differ. Run: npm run counts -- rebuild --stage ${stage.stage}`,
        )
      }
      console.log(`${action}: ${done.accounts} accounts, ${done.rows} ${outcomes[action]}.`)
    })
  },
})
