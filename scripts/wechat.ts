/** The offline WeChat alone, or as one file. Run with --help. */

import { runCommand } from './cli/command.ts'
import { bundleOfflineWeChat } from './simulators/wechat/bundle.ts'
import { runOfflineWeChat, serverOptions, serverUsage } from './simulators/wechat/command.ts'

const usage = `Usage: npm run wechat [-- options]

Offline WeChat: a simulator of api.weixin.qq.com on 127.0.0.1, with a page at / in the browser.

${serverUsage}
  --bundle FILE          writes it as one .cjs file that needs only Node, and starts nothing
  --help                 this text`

await runCommand({
  usage,
  options: { ...serverOptions, bundle: { type: 'string' } },
  async run({ bundle, ...values }) {
    if (bundle === undefined) return runOfflineWeChat(values)
    const bytes = await bundleOfflineWeChat(bundle)
    console.log(`${bundle}  ${(bytes / 1024).toFixed(1)} KiB  node ${bundle} --help`)
  },
})
