/** The probe against the offline cloud, which runs its echo for real. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCloudClient } from '../../../scripts/tencent/cloud/client.ts'
import { type ReportLine, reportLines } from '../../../scripts/tencent/probe/lines.ts'
import { probeOptions } from '../../../scripts/tencent/probe/options.ts'
import { type ProbeRun, runProbe } from '../../../scripts/tencent/probe/probe.ts'
import { publicCaller } from '../../../scripts/tencent/probe/public-call.ts'
import { redacted, reportText } from '../../../scripts/tencent/probe/report.ts'
import { startScript } from '../../support/local-command.ts'
import { account, creation } from '../../support/tencent-cloud/client.ts'
import { startTencentCloud, type TencentCloud } from '../../support/tencent-cloud/server.ts'

const domain = 'probe.example.com'

let cloud: TencentCloud
beforeEach(async () => {
  cloud = await startTencentCloud({ account, phasePolls: 0, urlHiddenLists: 1 })
  cloud.setCname(domain)
})
afterEach(() => cloud.close())

function connect() {
  const { secretId, secretKey, sessionToken: token } = account
  return createCloudClient({
    credentials: { secretId, secretKey, token },
    region: 'ap-guangzhou',
    namespace: 'default',
    endpoint: cloud.endpoint,
    patience: { totalMs: 2000, waitsMs: [10] },
  })
}

async function probe(changed: { domain?: string; signal?: AbortSignal } = {}): Promise<ProbeRun> {
  return runProbe(await connect(), {
    runtime: 'Nodejs20.19',
    vpcId: 'vpc-1a2b3c',
    subnetId: 'subnet-4d5e6f',
    domain,
    certificateId: '',
    pauseMs: 400,
    timeLimitSeconds: 1,
    call: publicCaller(cloud.endpoint),
    signal: new AbortController().signal,
    tell: () => undefined,
    ...changed,
  })
}

function seen({ findings }: ProbeRun, line: ReportLine): string {
  return findings.get(line)?.text ?? ''
}

const nothing = { functions: [], domains: [] }
const left = () => ({ functions: cloud.functions(), domains: cloud.domains() })

describe('a probe', () => {
  test('settles every line, says nothing of the account, and leaves nothing behind', async () => {
    const run = await probe()
    expect({ failure: run.failure, left: run.left, ...left() }).toEqual({
      failure: undefined,
      left: [],
      ...nothing,
    })
    const open = Object.keys(reportLines).filter(
      (line) => run.findings.get(line as ReportLine)?.settled !== true,
    )
    expect(open).toEqual(['invoke-right'])
    expect(seen(run, 'node-version')).toContain(process.version)
    expect(seen(run, 'gateway-compatible')).toBe(
      'only with it: isBase64Encoded, requestContext.sourceIp; only without it: nothing',
    )
    expect(run.findings.get('event-keys')?.shape).toMatchObject({
      headers: { 'x-forwarded-for': 'string' },
      httpMethod: 'string',
      requestContext: { sourceIp: 'string' },
    })
    expect(seen(run, 'client-address')).toContain('x-forwarded-for: forged')
    expect(seen(run, 'failure-statuses')).toMatch(
      /thrown: HTTP 500 .*430.*timed out after 1 sec.*433.*exited.*439/,
    )
    expect(seen(run, 'reply-headers')).toBe(
      'Location: HTTP 302 with it; cookies: 2; base64: decoded; OPTIONS: HTTP 200, from the function',
    )
    expect(seen(run, 'freezing')).toContain('the instance is frozen')
    expect(seen(run, 'code-digest')).toBe(
      'the package as it was sent (hex); the same package again: the same digest',
    )
    expect(seen(run, 'alias-version')).toBe(
      'told: version 1; a call through it: version 1, first code; through $LATEST: $LATEST, second code',
    )
    expect(seen(run, 'alias-description')).toBe('kept')
    expect(seen(run, 'version-variables')).toContain('version 1 tells one and has one')
    expect(seen(run, 'log-lines')).toBe('writeSync: yes; console.log: yes')
    expect(seen(run, 'return-values')).toBe('usually: yes; with IgnoreSysLog: no')
    expect(seen(run, 'web-process')).toContain('where its code is')
    expect(seen(run, 'web-peer')).toContain('peer: loopback')
    expect(seen(run, 'vpc-clearing')).toContain('after an empty one: in none')
    expect(seen(run, 'domain-paths')).toBe(
      '/probe → /probe; /probe/one → /probe/one; /probe/one/t%20wo → /probe/one/t%20wo',
    )
    const report = reportText({
      region: 'ap-guangzhou',
      runtime: 'Nodejs20.19',
      at: new Date('2026-01-02'),
      findings: run.findings,
      hidden: new Map([[domain, '<domain>']]),
    })
    for (const line of Object.keys(reportLines)) expect(report).toContain(`| ${line} |`)
    expect(report).not.toMatch(/1300000000|100000000000|AKID|a-secret-key|a-token|tencentscf|127\./)
  }, 60_000)

  test.each([
    ['CreateFunction', 'miniscore-live-probe-event', 'LimitExceeded.Function'],
    ['CreateTrigger', 'miniscore-live-probe-event', 'FailedOperation'],
  ])(
    'that cannot go on after %s says so and takes everything away',
    async (action, functionName, code) => {
      cloud.failNext(action, { functionName, code, message: 'no' })
      const run = await probe()
      expect(run.failure).toContain(code)
      expect({ left: run.left, ...left() }).toEqual({ left: [], ...nothing })
    },
  )

  test('goes on where one line cannot be seen, and says why', async () => {
    cloud.failNext('PublishVersion', { code: 'InternalError', message: 'not today' })
    const run = await probe({ domain: '' })
    expect(run.failure).toBeUndefined()
    expect(run.findings.get('alias-version')).toMatchObject({ settled: false })
    expect(seen(run, 'alias-version')).toContain('InternalError')
    expect(seen(run, 'code-digest')).toContain('as it was sent')
    expect(seen(run, 'domain-paths')).toContain('give --domain')
    expect(left()).toEqual(nothing)
  }, 60_000)

  test('that is told to stop makes nothing more, and takes everything away', async () => {
    const stop = new AbortController()
    cloud.onCall(({ action }) => {
      if (action === 'CreateFunction') stop.abort()
    })
    const run = await probe({ signal: stop.signal })
    expect(run.failure).toBe('It was told to stop.')
    expect({ left: run.left, ...left() }).toEqual({ left: [], ...nothing })
    expect(cloud.changes()).toEqual([
      'CreateFunction miniscore-live-probe-event',
      'DeleteFunction miniscore-live-probe-event',
    ])
  })

  test('says what it could not remove', async () => {
    const stop = new AbortController()
    cloud.onCall(({ action }) => {
      if (action === 'CreateFunction') stop.abort()
    })
    cloud.failNext('DeleteFunction', { code: 'FailedOperation', message: 'not now' })
    const run = await probe({ signal: stop.signal })
    expect(run.left).toEqual([expect.stringMatching(/^miniscore-live-probe-event: .*not now/)])
  })

  test('removes what an earlier run left before it begins', async () => {
    const stop = new AbortController()
    const first = await connect()
    const made = { ...(await creation('miniscore-live-probe-event')) }
    await first.call('CreateFunction', {
      ...made,
      Tags: [{ Key: 'serverless-stage', Value: 'miniscore-live-probe' }],
    })
    cloud.onCall(({ action }) => {
      if (action === 'DeleteFunction') stop.abort()
    })
    expect((await probe({ signal: stop.signal })).failure).toBe('It was told to stop.')
    expect(left()).toEqual(nothing)
  })

  test('leaves a function of its name and a domain in use alone', async () => {
    const owner = await connect()
    await owner.call('CreateFunction', await creation('miniscore-live-probe-event'))
    await expect(probe()).rejects.toThrow(/Nothing was made.*does not carry the tag/s)
    await owner.call('CreateCustomDomain', {
      Domain: domain,
      Protocol: 'HTTP',
      EndpointsConfig: [],
    })
    await expect(probe()).rejects.toThrow(/leads elsewhere/)
    expect(cloud.functions()).toHaveLength(1)
    expect(cloud.domains()).toHaveLength(1)
  })
})

test.each([
  ['https://1300000000-abc123.ap-guangzhou.tencentscf.com/x', '<function URL>/x'],
  ['uin 100000000000 of 10.2.3.4', 'uin <account> of <address>'],
  ['Node 20.19.6, AKIDexample', 'Node 20.19.6, <key>'],
  ['in vpc-1a2b3c by s3cret', 'in <vpc> by <secret>'],
  ['(RequestId 6f9619ff-8b86-4011-b42d-00c04fc964ff)', '(RequestId <id>)'],
])('%s is reported as %s', (text, shown) => {
  expect(redacted(text, new Map([['s3cret', '<secret>']]))).toBe(shown)
})

describe('npm run probe', () => {
  test('--dry-run says what would be made, without credentials', async () => {
    const args = ['--region', 'ap-guangzhou', '--dry-run', '--domain', domain]
    const command = startScript('probe.ts', args)
    expect(await command.exited).toBe(0)
    expect(command.output()).toMatch(
      /miniscore-live-probe-event[\s\S]*miniscore-live-probe-web[\s\S]*probe\.example\.com/,
    )
  })

  const region = 'ap-guangzhou'
  test.each([
    [{}, /--region takes a region/],
    [{ region, runtime: 'node' }, /--runtime takes a runtime/],
    [{ region, vpc: 'vpc-1' }, /--vpc and --subnet together/],
    [{ region, certificate: 'x' }, /--certificate is that of a --domain/],
    [{ region, domain: 'https://x' }, /--domain takes a name/],
  ])('%j is refused', (given, says) => {
    expect(() => probeOptions(given)).toThrow(says)
  })

  test('ended by Ctrl-C: what it saw is printed and written, and everything is removed', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-probe-'))
    const out = path.join(folder, 'report.md')
    const command = startScript('probe.ts', ['--region', 'ap-guangzhou', '--out', out], {
      TENCENTCLOUD_API_ENDPOINT: cloud.endpoint,
      TENCENTCLOUD_SECRET_ID: account.secretId,
      TENCENTCLOUD_SECRET_KEY: account.secretKey,
      TENCENTCLOUD_SESSION_TOKEN: account.sessionToken,
    })
    cloud.onCall(({ action }) => {
      if (action === 'CreateTrigger') command.signal('SIGINT')
    })
    expect(await command.exited).toBe(1)
    expect(command.output()).toContain('The probe ended early, and nothing is left of it')
    expect(await readFile(out, 'utf8')).toContain('| log-service | ')
    expect(left()).toEqual(nothing)
    await rm(folder, { recursive: true })
  })
})
