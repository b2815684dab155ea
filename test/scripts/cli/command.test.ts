import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runCommand } from '../../../scripts/cli/command.ts'
import { MigrationError, MigrationGoesOnError } from '../../../scripts/database/migrations.ts'

const { argv } = process
beforeEach(() => {
  process.argv = argv.slice(0, 2)
})
afterEach(() => {
  process.argv = argv
  process.exitCode = undefined
  vi.restoreAllMocks()
})

test.each([
  [1, new MigrationError('Somebody holds the table.')],
  [2, new MigrationGoesOnError('The server goes on.')],
])('a command exits with %i and one sentence for what was thrown', async (code, error) => {
  const said = vi.spyOn(console, 'error').mockReturnValue()
  await runCommand({ usage: '', options: {}, run: () => Promise.reject(error) })
  expect(process.exitCode).toBe(code)
  expect(said.mock.calls).toEqual([[error.message]])
})
