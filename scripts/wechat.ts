import { parseArgs } from 'node:util'
import { type OfflineWeChatOptions, startOfflineWeChat } from './simulators/wechat/server.ts'

const USAGE = `Offline WeChat: a simulator of api.weixin.qq.com on 127.0.0.1.

  tsx scripts/wechat.ts [--port 3001] [--appid wx…] [--secret …] [--adopt-unknown-codes]

  --port                 0 takes any free port (default 3001)
  --appid, --secret      the mini program it knows (a made-up pair by default)
  --adopt-unknown-codes  take login codes made by the WeChat DevTools as codes of one fixed user
  --help                 this text
`
const DEFAULT_PORT = '3001'
const DEFAULT_APPID = 'wx0123456789abcdef'
const DEFAULT_SECRET = '0123456789abcdef0123456789abcdef'

function optionsFrom(args: string[]): OfflineWeChatOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: DEFAULT_PORT },
      appid: { type: 'string', default: DEFAULT_APPID },
      secret: { type: 'string', default: DEFAULT_SECRET },
      'adopt-unknown-codes': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const port = Number(values.port)
  if (!/^[0-9]{1,5}$/.test(values.port) || port > 65_535) {
    throw new Error('--port must be a number from 0 to 65535.')
  }
  const { appid, secret } = values
  return { port, appid, secret, adoptUnknownCodes: values['adopt-unknown-codes'] }
}

async function main(): Promise<void> {
  const options = optionsFrom(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(USAGE)
    return
  }
  const wechat = await startOfflineWeChat(options)
  process.stdout.write(`ready ${wechat.url} appid=${options.appid} help: curl ${wechat.url}/sim\n`)
  const stop = () => void wechat.close()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
