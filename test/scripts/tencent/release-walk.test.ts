import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DeployScene, startDeployScene } from '../../support/deploy-scene.ts'
import { codeBlocks, readPage } from '../../support/documentation.ts'

/** What scripts/README.md shows of a release, typed word for word against the offline cloud. */

const page = readPage('scripts/README.md').text
const walk = page.slice(page.indexOf('### A release, followed'), page.indexOf('\n## Keys\n'))
const blocks = codeBlocks(walk)
const typed = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code.trim())
const shown = blocks.filter(({ language }) => language === 'text').map(({ code }) => code.trim())

let scene: DeployScene
beforeAll(async () => {
  scene = await startDeployScene()
  await scene.writeStage('prod')
  const first = await scene.run('deploy --stage prod')
  expect(first).toMatchObject({ code: 0 })
})
afterAll(() => scene.close())

/** Types the step and compares what is printed with the page, in which `…` is anything. */
async function type(step: number, exitCode: number): Promise<void> {
  const command = typed[step]?.replace(/^npx serverless /, '') ?? ''
  const ran = await scene.run(command)
  expect(ran.code).toBe(exitCode)
  for (const line of (shown[step] ?? '').split('\n')) {
    const pattern = line.split('…').map(escapeForPattern)
    expect(ran.stdout).toMatch(new RegExp(`^ *${pattern.join('.+')}$`, 'm'))
  }
}

test('the page shows a release, one that fails, and a rollback', () => {
  expect(typed).toEqual([
    'npx serverless deploy --stage prod',
    'npx serverless deploy --stage prod',
    'npx serverless rollback --stage prod',
  ])
  expect(shown).toHaveLength(3)
})

test('a release of one function prints what the page shows', async () => {
  await scene.project.writeFunction(
    'submit-score',
    `export const main_handler = async () => ({
      statusCode: 404, headers: { 'content-type': 'application/problem+json' }, body: '{"code":"not-found"}',
    })`,
  )
  await type(0, 0)
})

test('a release that fails its test does, too, and changes nothing for users', async () => {
  await scene.project.writeFunction(
    'query-scores',
    'export const main_handler = async () => { throw new Error("broken") }',
  )
  await type(1, 1)
  const live = scene.cloud.functions().map(({ name, alias }) => `${name} ${alias.version}`)
  expect(live.sort()).toEqual([
    'miniscore-prod-login 1',
    'miniscore-prod-query-scores 1',
    'miniscore-prod-submit-score 2',
  ])
})

test('and so does a rollback', async () => {
  await type(2, 0)
})

function escapeForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
