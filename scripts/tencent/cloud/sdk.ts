/** The SDK's own types for its actions, so that a misspelt parameter does not compile. */
import type { AbstractClient } from 'tencentcloud-sdk-nodejs-common'
import type { scf } from 'tencentcloud-sdk-nodejs-scf'

export type ScfClient = InstanceType<typeof scf.v20180416.Client>

export type ScfModels = {
  [Action in Exclude<keyof ScfClient, keyof AbstractClient>]: {
    request: Parameters<ScfClient[Action]>[0]
    response: Awaited<ReturnType<ScfClient[Action]>>
  }
}
