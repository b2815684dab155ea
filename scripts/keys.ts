/** Replaces keys step by step. Run with --help. */

import path from 'node:path'
import { ConfigurationError, readVariables } from '../shared/wiring/configuration.ts'
import { projectFolder } from './build/bundle.ts'
import { runCommand } from './cli/command.ts'
import { CommandProblem } from './cli/problem.ts'
import { readStage, type Stage } from './cli/stage.ts'
import { withDatabase } from './database/with-database.ts'
import {
  addKey,
  dropKeys,
  idsOf,
  type KeyRing,
  keyRings,
  newNamedKey,
  rotateKeys,
} from './stage-values/key-ring.ts'
import { dueOf, nextStep, noteOf } from './stage-values/rotation.ts'
import { countSealedBy } from './stage-values/sealed-by.ts'
import {
  readStageFile,
  valueIn,
  withNoteAbove,
  withValueOf,
  writeStageFile,
} from './stage-values/stage-file.ts'

const usage = `Usage: npm run keys -- --stage NAME
       npm run keys -- add|rotate|drop TOKEN_KEYS|SEALING_KEYS --stage NAME [--now]

Replaces a key in three steps, each followed by a deploy, and says which step is next and when it is due. Without a step it
only tells how things stand.

  add      a new key behind the one in use: every instance learns to accept it
  rotate   the new key becomes the first: it signs or seals from the next deploy on
  drop     the old one goes: of TOKEN_KEYS when its last token has run out, of SEALING_KEYS when nothing is sealed with it any
           more (the database is asked)

  --stage NAME   whose .env.NAME; written in place, read by nobody but you
  --now          before it is due: a key that has leaked; then end all sessions (npm run sessions -- end-all) too
  --help         this text`

const steps = {
  add: (ring: string) => addKey(ring, newNamedKey(Date.now(), ring)),
  rotate: rotateKeys,
  drop: dropKeys,
} as const

function isRing(name: string): name is KeyRing {
  return keyRings.some((ring) => ring === name)
}

function ringOf(stage: Stage, text: string, name: KeyRing): string {
  const ring = valueIn(text, name)
  if (ring === undefined) {
    throw new CommandProblem(`${name} does not stand in ${stage.file}, so it is not changed there.`)
  }
  const { faults } = readVariables([name], { [name]: ring })
  if (faults.length > 0) throw new CommandProblem(`${new ConfigurationError(faults).variables[0]}.`)
  return ring
}

await runCommand({
  usage,
  options: { stage: { type: 'string' }, now: { type: 'boolean' } },
  takesWords: true,
  async run({ stage: stageName, now: isNow = false }, [step, name = '', ...others]) {
    if (others.length > 0) throw new Error(usage)
    const stage = await readStage(stageName, { isDeployed: true })
    console.error(stage.headline)
    const file = path.join(projectFolder, stage.file ?? '')
    const text = await readStageFile(file)
    if (step === undefined) {
      for (const each of keyRings) {
        const ring = ringOf(stage, text, each)
        console.log(`${each}: ${idsOf(ring).join(', then ')}. ${nextStep(each, ring, text)}`)
      }
      return
    }
    if (!Object.hasOwn(steps, step) || !isRing(name)) throw new Error(usage)
    const ring = ringOf(stage, text, name)
    const ids = idsOf(ring)
    const changed = steps[step as keyof typeof steps](ring)
    if (step === 'drop' && !isNow) {
      const dueMs = dueOf(name, text)
      if (dueMs === undefined) {
        throw new CommandProblem(
          `${name}: ${ids[0]} was not made the first by this command, so it may be the old one. ${nextStep(name, ring, text)} Or --now.`,
        )
      }
      if (dueMs > Date.now()) {
        throw new CommandProblem(`${name}: too early. ${nextStep(name, ring, text)}`)
      }
      if (name === 'SEALING_KEYS') await refuseWhileSealed(stage, ids.slice(1))
    }
    const written = withNoteAbove(
      withValueOf(text, name, changed),
      name,
      noteOf(name, step, Date.now()),
    )
    await writeStageFile(file, written)
    console.log(`${name}: ${idsOf(changed).join(', then ')}. ${nextStep(name, changed, written)}`)
  },
})

async function refuseWhileSealed(stage: Stage, ids: readonly string[]): Promise<void> {
  const count = await withDatabase({ stage: stage.name }, (db) => countSealedBy(db, ids))
  if (count > 0) {
    throw new CommandProblem(
      `Still sealed with ${ids.join(', ')}: session keys or phone numbers of ${count} people. They are sealed anew as people come back; --now drops it: they log in, or bind their number, again.`,
    )
  }
}
