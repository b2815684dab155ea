/** What the doctor looks at, made by hand: a deployment with values of a test's own. */

import type { Deployment } from '../../scripts/doctor/deployment.ts'
import type { Finding } from '../../scripts/doctor/report.ts'
import type { FunctionBlock, ProviderBlock } from '../../scripts/service/blocks.ts'
import { type DesiredService, desiredService } from '../../scripts/service/service.ts'

const LOGIN_ONLY = ['WECHAT_SECRET', 'WECHAT_API_URL', 'SEALING_KEYS']

/** The project's three functions with these values; settings of provider and login can be changed. */
export function serviceWith(
  variables: Readonly<Record<string, string>>,
  changes: { provider?: Partial<ProviderBlock>; login?: Partial<FunctionBlock> } = {},
): DesiredService {
  const names = Object.keys(variables)
  const pick = (wanted: (name: string) => boolean): Record<string, string> =>
    Object.fromEntries(names.filter(wanted).map((name) => [name, variables[name] ?? '']))
  const block = (key: string): FunctionBlock => ({
    name: `miniscore-dev-${key}`,
    events: [{ http: { paths: [`/${key}`] } }],
  })
  return desiredService({
    service: 'miniscore',
    provider: {
      name: 'tencent',
      stage: 'dev',
      environment: pick((name) => !LOGIN_ONLY.includes(name)),
      ...changes.provider,
    },
    functions: {
      login: {
        ...block('login'),
        environment: pick((name) => LOGIN_ONLY.includes(name)),
        ...changes.login,
      },
      'submit-score': block('submit-score'),
      'query-scores': block('query-scores'),
    },
  })
}

/** A deployment of that service, with a .env file holding `fileValues`. */
export function deploymentOf(
  service: DesiredService,
  details: Partial<Omit<Deployment, 'service'>> = {},
): Deployment {
  const declared = service.functions.flatMap((each) => each.declared)
  return {
    service,
    envFile: '.env.dev',
    fileValues: {},
    knownNames: new Set(declared),
    ...details,
  }
}

/** Ids with their severity, `error wechat.40013`, for a look at everything that was found. */
export function idsOf(findings: readonly Finding[]): string[] {
  return findings.map(({ severity, id }) => `${severity} ${id}`)
}

/** All words of the findings in one text. */
export function wordsOf(findings: readonly Finding[]): string {
  return JSON.stringify(findings)
}
