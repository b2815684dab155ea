import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectFolder } from '../../../scripts/build/bundle.ts'
import { describeApi } from '../../../scripts/openapi/document.ts'
import type { OpenApiDocument } from '../../../scripts/openapi/shapes.ts'

let folder: string
let document: OpenApiDocument
beforeAll(async () => {
  ;[folder, document] = await Promise.all([
    mkdtemp(path.join(os.tmpdir(), 'miniscore-openapi-')),
    describeApi(),
  ])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The rules that Redocly finds broken. */
async function brokenRules(name: string, described: OpenApiDocument): Promise<string[]> {
  const file = path.join(folder, `${name}.json`)
  await writeFile(file, JSON.stringify(described))
  const redocly = path.join(projectFolder, 'node_modules/@redocly/cli/bin/cli.js')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [redocly, 'lint', file, '--extends', 'recommended-strict', '--format', 'json'],
    {
      maxBuffer: 16 * 1024 * 1024,
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
  ).catch((error: { stdout: string }) => error)
  const { problems } = JSON.parse(stdout) as { problems: { ruleId: string }[] }
  return [...new Set(problems.map(({ ruleId }) => ruleId))]
}

test('Redocly finds nothing to say of the description, and something of a wrong one', async () => {
  const wrong = structuredClone(document)
  const { paths, components } = wrong
  Object.assign(components.examples['invalid-json'] ?? {}, { value: { code: 'no-such' } })
  Object.assign(paths, { '/login/{who}': paths['/logout'] })
  delete paths['/query']?.post?.responses['200']
  const [ofSound, ofWrong] = await Promise.all([
    brokenRules('sound', document),
    brokenRules('wrong', wrong),
  ])
  expect(ofSound).toEqual([])
  expect(ofWrong).toEqual(
    expect.arrayContaining([
      'no-invalid-media-type-examples',
      'path-parameters-defined',
      'operation-2xx-response',
    ]),
  )
})
