/** The account's keys, from the environment alone. */
import { CommandProblem } from '../../cli/problem.ts'

export interface Credentials {
  secretId: string
  secretKey: string
  token?: string
}

/**
 * Reads TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and, for temporary keys, TENCENTCLOUD_SESSION_TOKEN (the older
 * TENCENTCLOUD_TOKEN too). A missing one is a `CommandProblem` naming it.
 */
export function credentialsFrom(env: NodeJS.ProcessEnv): Credentials {
  const missing = ['TENCENTCLOUD_SECRET_ID', 'TENCENTCLOUD_SECRET_KEY'].filter((name) => !env[name])
  if (missing.length > 0)
    throw new CommandProblem(
      `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not set. Make an API key at ` +
        'https://console.cloud.tencent.com/cam/capi and set it in the environment.',
    )
  const token = env.TENCENTCLOUD_SESSION_TOKEN || env.TENCENTCLOUD_TOKEN
  return {
    secretId: env.TENCENTCLOUD_SECRET_ID ?? '',
    secretKey: env.TENCENTCLOUD_SECRET_KEY ?? '',
    ...(token && { token }),
  }
}
