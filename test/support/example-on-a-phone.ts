/** The example mini program in a browser, against the built functions. */

import path from 'node:path'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { compileMiniProgram } from '../../scripts/simulators/mini-program/compile.ts'
import {
  type MiniProgramFault,
  serveMiniProgram,
} from '../../scripts/simulators/mini-program/server.ts'
import { type ClientScene, startClientScene } from './client-scene.ts'

/** Where the example lies. */
export const exampleFolder = path.join(projectFolder, 'test/miniprogram')

export interface ExampleOnAPhone extends ClientScene {
  /** The address of the example on the phone of a person. */
  addressFor(person: string, page?: string): string
  /** Decides what happens to a request, `POST /score`. */
  setFault(fault?: (route: string) => MiniProgramFault | undefined): void
  /** Routes that were asked, in order. */
  routes: string[]
  /** The number that a person's phone button tells. */
  setNumber(person: string, number: string): void
}

/** Starts everything but the browser. */
export async function startExampleOnAPhone(
  options: { ratingForm?: string } = {},
): Promise<ExampleOnAPhone> {
  const scene = await startClientScene({}, options)
  const compiled = await compileMiniProgram(exampleFolder)
  const routes: string[] = []
  const numbers = new Map<string, string>()
  let fault: ((route: string) => MiniProgramFault | undefined) | undefined
  const { wechat } = scene.world
  const server = await serveMiniProgram({
    compiled,
    baseUrl: scene.baseUrl,
    wechat: {
      loginCode: async (openid) => (await scene.world.code(openid)).code,
      phoneCode: async (openid) =>
        wechat.issuePhoneCode({ openid, phone: numbers.get(openid) ?? '13800138000' }).code,
    },
    fault: (route) => {
      routes.push(route)
      return fault?.(route)
    },
  })
  return {
    ...scene,
    routes,
    addressFor: (person, page = '') => `${server.url}/?person=${person}#${page}`,
    setFault: (next) => {
      fault = next
    },
    setNumber: (person, number) => void numbers.set(person, number),
    async close() {
      await server.close()
      await scene.close()
    },
  }
}
