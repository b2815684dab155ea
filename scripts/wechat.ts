/** The offline WeChat alone. Run with --help. */

import { interruption } from './cli/closers.ts'
import { portOf, runCommand } from './cli/command.ts'
import { startOfflineWeChat } from './simulators/wechat/server.ts'

const usage = `Usage: npm run wechat [-- options]

Offline WeChat: a simulator of api.weixin.qq.com on 127.0.0.1.

  --port                 0 takes any free port (default 3001)
  --appid, --secret      the mini program it knows (a made-up pair by default)
  --adopt-unknown-codes  take login codes made by the WeChat DevTools as codes of one fixed user
  --help                 this text`

await runCommand({
  usage,
  options: {
    port: { type: 'string', default: '3001' },
    appid: { type: 'string', default: 'wx0123456789abcdef' },
    secret: { type: 'string', default: '0123456789abcdef0123456789abcdef' },
    'adopt-unknown-codes': { type: 'boolean', default: false },
  },
  async run({ port: text, appid, secret, 'adopt-unknown-codes': adoptUnknownCodes }) {
    const port = portOf('--port', text)
    const wechat = await startOfflineWeChat({
      port,
      portSetting: '--port',
      appid,
      secret,
      adoptUnknownCodes,
    })
    console.log(`ready ${wechat.url} appid=${appid} help: curl ${wechat.url}/sim`)
    await interruption()
    await wechat.close()
  },
})
