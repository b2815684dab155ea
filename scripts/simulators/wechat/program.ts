/**
 * The offline WeChat as one file, made by `bundle.ts`: a program (`node offline-wechat.cjs --help`), and for tests in
 * JavaScript a module (`require('./offline-wechat.cjs').startOfflineWeChat`).
 */

import { runCommand } from '../../cli/command.ts'
import { runOfflineWeChat, serverOptions, serverUsage } from './command.ts'

export { startOfflineWeChat } from './server.ts'

const usage = `Usage: node offline-wechat.cjs [options]

Offline WeChat: a simulator of api.weixin.qq.com on 127.0.0.1, with a page at / in the browser.

${serverUsage}
  --help                 this text`

/** Runs the program. */
export function runProgram(): Promise<void> {
  return runCommand({ usage, options: serverOptions, run: runOfflineWeChat })
}
