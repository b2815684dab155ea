import { interruption } from '../../cli/closers.ts'
import { portOf } from '../../cli/command.ts'
import { CommandProblem } from '../../cli/problem.ts'
import type { MiniProgram } from './apps.ts'
import { startOfflineWeChat } from './server.ts'

/** The options of the offline WeChat as a program, for `parseArgs`. */
export const serverOptions = {
  port: { type: 'string', default: '3001' },
  appid: { type: 'string', default: 'wx0123456789abcdef' },
  secret: { type: 'string', default: '0123456789abcdef0123456789abcdef' },
  app: { type: 'string', multiple: true, default: [] as string[] },
  seed: { type: 'string' },
  'adopt-unknown-codes': { type: 'boolean', default: false },
} as const

/** What `--help` says of them. */
export const serverUsage = `  --port                 0 takes any free port (default 3001)
  --appid, --secret      the mini program it knows (a made-up pair by default)
  --app APPID:SECRET     another mini program; may be given several times
  --seed TEXT            the same codes, openids, keys and tokens in the same order every time
  --adopt-unknown-codes  take login codes made by the WeChat DevTools as codes of one fixed user`

interface ServerValues {
  port: string
  appid: string
  secret: string
  app: string[]
  seed?: string | undefined
  'adopt-unknown-codes': boolean
}

/** Runs it until somebody ends it. @throws {Error} a sentence */
export async function runOfflineWeChat(values: ServerValues): Promise<void> {
  const { appid, secret, seed } = values
  const wechat = await startOfflineWeChat({
    port: portOf('--port', values.port),
    portSetting: '--port',
    appid,
    secret,
    otherApps: values.app.map(miniProgramIn),
    ...(seed === undefined ? {} : { seed }),
    adoptUnknownCodes: values['adopt-unknown-codes'],
  })
  console.log(
    `ready ${wechat.url} appid=${appid} page: ${wechat.url}/ help: curl ${wechat.url}/sim`,
  )
  await interruption()
  await wechat.close()
}

function miniProgramIn(text: string): MiniProgram {
  const [, appid, secret] = /^([A-Za-z0-9_-]{4,64}):(.+)$/.exec(text) ?? []
  // What was given is not repeated: there may be a secret in it.
  if (!appid || !secret) throw new CommandProblem('--app takes APPID:SECRET, such as wx1234:abcd.')
  return { appid, secret }
}
