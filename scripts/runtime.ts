/** Brings the Node that functions run on in the cloud. Run with --help. */

import { runCommand } from './cli/command.ts'
import { bringRuntimeNode, findRuntimeNode, runtimeNodeVersion } from './tencent/runtime-node.ts'

const usage = `Usage: npm run runtime -- get

  get     brings the Node of the runtime that serverless.yml names into .data/runtime-node (Linux on x64 only; 45 MB from the
          npm registry). From then on serverless package and deploy compile the functions ahead with it, and a cold start takes
          a third less time. Which version: scripts/tencent/runtime-node/package.json; whether the cloud's is that one: codeCache
          in the log line of a cold start.
  --help  this text`

await runCommand({
  usage,
  options: {},
  takesWords: true,
  async run(_, words) {
    if (words.join(' ') !== 'get') throw new Error(usage)
    const version = runtimeNodeVersion()
    const runtime = `Nodejs${version.split('.').slice(0, 2).join('.')}`
    if (!findRuntimeNode(runtime)) {
      console.error(`Bringing Node ${version} …`)
      await bringRuntimeNode()
    }
    if (!findRuntimeNode(runtime)) throw new Error(`Node ${version} cannot run on this machine.`)
    console.log(`Node ${version} is here; functions for ${runtime} are compiled ahead.`)
  },
})
