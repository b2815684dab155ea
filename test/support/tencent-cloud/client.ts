/** The official SDK against the offline cloud, for tests of that cloud itself. */
import { createCloudClient } from '../../../scripts/tencent/cloud/client.ts'
import { deterministicZip } from '../../../scripts/tencent/zip.ts'
import { startTencentCloud } from './server.ts'

export const account = {
  secretId: 'AKIDexample',
  secretKey: 'a-secret-key',
  sessionToken: 'a-token',
}
const credentials = { secretId: account.secretId, secretKey: account.secretKey, token: 'a-token' }

export function clientFor(endpoint: string, changed: Partial<typeof credentials> = {}) {
  return createCloudClient({
    credentials: { ...credentials, ...changed },
    region: 'ap-guangzhou',
    namespace: 'default',
    endpoint,
  })
}

export function zipOf(source: string): Promise<Buffer> {
  return deterministicZip([{ name: 'index.js', data: Buffer.from(source) }])
}

export async function creation(name: string, source = 'exports.main_handler = async () => 1') {
  return {
    FunctionName: name,
    Handler: 'index.main_handler',
    Runtime: 'Nodejs20.19',
    Timeout: 1,
    Code: { ZipFile: (await zipOf(source)).toString('base64') },
  }
}

export function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'accepted',
    (error: { code?: string }) => error.code ?? String(error),
  )
}

export async function cloudAndClient() {
  const cloud = await startTencentCloud({ account, phasePolls: 0 })
  return { cloud, client: await clientFor(cloud.endpoint) }
}
