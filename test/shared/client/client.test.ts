import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClientScene, clientSource, startClientScene } from '../../support/client-scene.ts'
import { promises } from './promises.ts'

let scene: ClientScene
let source: string
beforeAll(async () => {
  scene = await startClientScene()
  source = await clientSource()
})
afterAll(() => scene?.close())

describe('the client in a mini program, against the built functions', () => {
  test.each(promises)('$name', ({ check }) => check(scene, source))
})

describe('a client without it is caught', () => {
  test.each(promises)('$name', async ({ check, brokenBy }) => {
    await expect(check(scene, await clientSource(brokenBy))).rejects.toThrow()
  })
})
