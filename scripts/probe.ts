/** Finds out on a real account what no document says. Run with --help. */
import { writeFile } from 'node:fs/promises'
import { interruption } from './cli/closers.ts'
import { runCommand } from './cli/command.ts'
import { CommandProblem, problemList } from './cli/problem.ts'
import { defaults } from './service/service.ts'
import { createCloudClient } from './tencent/cloud/client.ts'
import { credentialsFrom } from './tencent/cloud/credentials.ts'
import { probeOptions } from './tencent/probe/options.ts'
import { madeByProbe, runProbe } from './tencent/probe/probe.ts'
import { publicCaller } from './tencent/probe/public-call.ts'
import { removeProbe } from './tencent/probe/removal.ts'
import { reportText } from './tencent/probe/report.ts'

const usage = `Usage: npm run probe -- --region ap-guangzhou [options]

Uploads a tiny echo function to the account of TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, writes down what the cloud
really does where its documents are silent, and removes everything it made, also after Ctrl-C. Takes some minutes and a few
dozen calls. The report, in Markdown and without account, addresses or secrets, goes to standard output.

  --region R             the region to probe
  --runtime R            the runtime, ${defaults.runtime} by default
  --domain NAME          also probe this custom domain, whose CNAME leads to the platform and which nothing uses
  --certificate ID       its certificate, for HTTPS; plain HTTP without it
  --vpc ID --subnet ID   also put the function into this VPC, and out of it
  --out FILE             write the report to this file, too
  --dry-run              say what would be made, and make nothing; needs no credentials
  --remove               only remove what an earlier run left
  --help                 this text`

const tell = (step: string): void => console.error(step)

function howToRemove(region: string, domain: string): string {
  const given = domain ? ` --domain ${domain}` : ''
  return `Still there, and to be removed by "npm run probe -- --remove --region ${region}${given}", or in the SCF console:`
}

await runCommand({
  usage,
  options: {
    region: { type: 'string' },
    runtime: { type: 'string' },
    domain: { type: 'string' },
    certificate: { type: 'string' },
    vpc: { type: 'string' },
    subnet: { type: 'string' },
    out: { type: 'string' },
    'dry-run': { type: 'boolean' },
    remove: { type: 'boolean' },
  },
  async run(values) {
    const options = probeOptions(values)
    const { region, runtime, domain, certificateId } = options
    if (values['dry-run']) {
      console.log(`Would be made in ${region}, and removed again:`)
      for (const made of madeByProbe(options)) console.log(`  ${made}`)
      return
    }
    const endpoint = process.env.TENCENTCLOUD_API_ENDPOINT
    const credentials = credentialsFrom(process.env)
    const cloud = await createCloudClient({ credentials, region, namespace: 'default', endpoint })
    if (values.remove) {
      const { removed, left } = await removeProbe(cloud, { domain, tell })
      if (left.length > 0) throw problemList(howToRemove(region, domain), left)
      console.log(removed.length > 0 ? `Removed: ${removed.join(', ')}` : 'Nothing was left.')
      return
    }
    const stop = new AbortController()
    void interruption().then(() => {
      tell('Stopping; what was made is being removed. Ctrl-C once more leaves it there.')
      stop.abort()
    })
    const { findings, failure, left } = await runProbe(cloud, {
      ...options,
      call: publicCaller(endpoint),
      signal: stop.signal,
      tell,
    })
    const hidden = new Map([
      [credentials.secretId, '<key>'],
      [credentials.secretKey, '<secret>'],
      [credentials.token ?? '', '<token>'],
      [domain, '<domain>'],
      [options.vpcId, '<VPC>'],
      [options.subnetId, '<subnet>'],
      [certificateId, '<certificate>'],
    ])
    const report = reportText({ region, runtime, at: new Date(), findings, hidden })
    console.log(report)
    if (values.out) await writeFile(values.out, report)
    if (left.length > 0) throw problemList(howToRemove(region, domain), left)
    if (failure)
      throw new CommandProblem(`The probe ended early, and nothing is left of it: ${failure}`)
  },
})
