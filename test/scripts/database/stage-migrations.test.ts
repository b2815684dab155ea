import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readMigrations } from '../../../scripts/database/migrations.ts'
import { migrationsOf } from '../../../scripts/database/stage-migrations.ts'

/** What a deploy asks of the stage's database, and has done to it. */

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-stage-migrations-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function tablesAt(DATABASE_URL: string) {
  return migrationsOf({
    name: 'shop',
    headline: '',
    file: '.env.shop',
    values: { DATABASE_URL },
    fileValues: {},
  })
}

test('an empty database lacks all of them, one that was migrated none', async () => {
  const tables = tablesAt(`sqlite:${path.join(folder, 'shop.sqlite')}`)
  const names = (await readMigrations()).map(({ name }) => name)
  expect(await tables.pending()).toEqual(names)
  const steps: string[] = []
  expect(await tables.apply((step) => steps.push(step))).toEqual(names)
  expect(steps.length).toBeGreaterThan(0)
  expect(await tables.pending()).toEqual([])
})

test('a database that cannot be reached is a sentence with its stage, without its password', async () => {
  const asked = tablesAt('mysql://user:canary@127.0.0.1:1/shop').pending()
  await expect(asked).rejects.toThrow(/The database of stage shop cannot be used: /)
  await expect(asked).rejects.not.toThrow(/canary/)
})
