/** The SDK's own types for the actions used here, so that a misspelt parameter does not compile. */
import type { scf } from 'tencentcloud-sdk-nodejs-scf'

export type ScfClient = InstanceType<typeof scf.v20180416.Client>

type Used =
  | 'CreateCustomDomain'
  | 'CreateFunction'
  | 'CreateTrigger'
  | 'DeleteCustomDomain'
  | 'DeleteFunction'
  | 'DeleteTrigger'
  | 'GetFunction'
  | 'GetFunctionAddress'
  | 'Invoke'
  | 'ListCustomDomains'
  | 'ListTriggers'
  | 'UpdateCustomDomain'
  | 'UpdateFunctionCode'
  | 'UpdateFunctionConfiguration'
  | 'UpdateTrigger'

export type ScfModels = {
  [Action in Used]: {
    request: Parameters<ScfClient[Action]>[0]
    response: Awaited<ReturnType<ScfClient[Action]>>
  }
}
