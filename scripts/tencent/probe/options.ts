/** The options of a run, checked before anything is asked of the cloud. */
import { CommandProblem } from '../../cli/problem.ts'
import { defaults } from '../../service/service.ts'
import type { ProbeOptions } from './probe.ts'

export interface GivenOptions {
  region?: string | undefined
  runtime?: string | undefined
  domain?: string | undefined
  certificate?: string | undefined
  vpc?: string | undefined
  subnet?: string | undefined
}

const PAUSE_MS = 3000
const TIME_LIMIT_SECONDS = 3

/** @throws {CommandProblem} naming the option */
export function probeOptions(given: GivenOptions): ProbeOptions & { region: string } {
  const { region = '', runtime = defaults.runtime, domain = '', certificate = '' } = given
  const { vpc: vpcId = '', subnet: subnetId = '' } = given
  if (!/^[a-z]{2}-[a-z]+(-\d)?$/.test(region))
    throw new CommandProblem('--region takes a region such as ap-guangzhou.')
  if (!/^Nodejs\d+\.\d+$/.test(runtime))
    throw new CommandProblem(`--runtime takes a runtime such as ${defaults.runtime}.`)
  if (!vpcId !== !subnetId) throw new CommandProblem('Give --vpc and --subnet together.')
  if (certificate && !domain) throw new CommandProblem('--certificate is that of a --domain.')
  if (domain && !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain))
    throw new CommandProblem(`--domain takes a name such as probe.example.com, not "${domain}".`)
  return {
    region,
    runtime,
    vpcId,
    subnetId,
    domain,
    certificateId: certificate,
    pauseMs: PAUSE_MS,
    timeLimitSeconds: TIME_LIMIT_SECONDS,
  }
}
