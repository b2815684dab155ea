/** A project, an offline cloud, and the `serverless` command between them. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createServerlessProject, type Ran, soundVariables } from './serverless-project.ts'
import { startTencentCloud } from './tencent-cloud/server.ts'

const account = { secretId: 'AKIDexample', secretKey: 'a-secret-key', sessionToken: 'a-token' }

/** The Function URLs a command printed, in order. */
export function urlsIn(ran: Ran): string[] {
  return ran.stdout.match(/https:\/\/\S+tencentscf\.com/g) ?? []
}

/** Close it in the end. */
export async function startDeployScene() {
  const cloud = await startTencentCloud({ account })
  const project = await createServerlessProject('echo')
  const variables = soundVariables()
  const env = {
    ...variables,
    TENCENTCLOUD_SECRET_ID: account.secretId,
    TENCENTCLOUD_SECRET_KEY: account.secretKey,
    TENCENTCLOUD_SESSION_TOKEN: account.sessionToken,
    TENCENTCLOUD_API_ENDPOINT: cloud.endpoint,
  }
  const contacts = new Set<string>()
  return {
    cloud,
    project,
    /** What the functions are configured with. */
    variables,
    env,
    /** Every host that any command of this scene connected to or looked up. */
    contacts,
    /** Makes a further stage, whose values the environment holds. */
    writeStage: (stage: string) => writeFile(path.join(project.folder, `.env.${stage}`), ''),
    /** Runs `serverless` with these words and the scene's environment; the cloud's record of calls starts anew. */
    run: async (
      command: string | readonly string[],
      changed: Record<string, string> = {},
    ): Promise<Ran> => {
      cloud.forgetCalls()
      const args = typeof command === 'string' ? command.split(' ') : command
      const stage = args.includes('--stage') ? [] : ['--stage', 'dev']
      // The database of these values is nobody's.
      const isLooking = args[0] !== 'deploy' || args.includes('--migrate')
      const tables = isLooking ? [] : ['--skip-migrations']
      const ran = await project.serverless([...args, ...stage, ...tables], { ...env, ...changed })
      for (const contact of ran.contacts) contacts.add(contact)
      return ran
    },
    close: async (): Promise<void> => {
      await cloud.close()
      await project.remove()
    },
  }
}

export type DeployScene = Awaited<ReturnType<typeof startDeployScene>>
