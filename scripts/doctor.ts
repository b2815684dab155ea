/** Says what is wrong with a deployment's configuration and what to do about it. Run with --help. */

import { projectFolder } from './build/bundle.ts'
import { runCommand } from './cli/command.ts'
import { readStage } from './cli/stage.ts'
import { checkConfiguration } from './doctor/configuration.ts'
import { checkDatabase } from './doctor/database.ts'
import { type Deployment, readDeployment, UnreadableConfiguration } from './doctor/deployment.ts'
import { type Language, sectionLines, summaryLines } from './doctor/print.ts'
import { error, exitCodeOf, type Finding, skipped, type Words } from './doctor/report.ts'
import { checkUrls } from './doctor/urls.ts'
import { checkWeChat } from './doctor/wechat.ts'

const usage = `用法 Usage: npm run doctor -- --stage NAME [options]

按部署时的方式读取配置（serverless.yml 和 .env.NAME），用中文和英文说明哪里不对、怎么改。
Reads the configuration as a deploy would (serverless.yml and .env.NAME), and says in Chinese and English
what is wrong and what to do. Nothing is changed, no secret is printed.
退出码 Exit code: 1 有错误 something is wrong, 0 没有 nothing is.

  --stage NAME         读取 .env.NAME；留空的取环境变量  read .env.NAME; what it leaves empty, the environment
  --url URL            检查已部署的地址，可重复      a deployed Function URL or domain to check; repeatable
  --offline            不访问微信、数据库和地址      leave out WeChat, the database and URLs
  --lang zh|en|both    语言                          language (default: both)
  --help               本说明                        this text`

interface Options {
  stage: string | undefined
  addresses: readonly string[]
  isOffline: boolean
  language: Language
}

type Section = [heading: Words, findings: Promise<Finding[]>]

async function examine(options: Options): Promise<number> {
  const { language } = options
  const isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR
  const all: Finding[] = []
  for (const [heading, section] of await sectionsFor(options)) {
    const findings = await section.catch((failure: unknown) => [broken(failure)])
    all.push(...findings)
    console.log(sectionLines(heading, findings, { language, isColoured }).join('\n'))
  }
  console.log(summaryLines(all, { language, isColoured }).join('\n'))
  return exitCodeOf(all)
}

const headings = {
  configuration: { zh: '配置', en: 'Configuration' },
  wechat: { zh: '微信', en: 'WeChat' },
  database: { zh: '数据库', en: 'Database' },
  urls: { zh: '地址', en: 'URLs' },
} as const satisfies Record<string, Words>

/** What there is to report; everything that waits for somebody is under way at once. */
async function sectionsFor({ stage: name, addresses, isOffline }: Options): Promise<Section[]> {
  const folder = projectFolder
  const stage = await readStage(name, { folder, isDeployed: true })
  console.log(stage.headline)
  let deployment: Deployment
  try {
    deployment = await readDeployment({ folder, stage, env: process.env })
  } catch (failure) {
    if (failure instanceof UnreadableConfiguration) {
      return [[headings.configuration, Promise.resolve([unreadable(failure)])]]
    }
    throw failure
  }
  const { service } = deployment
  const own: Section[] = [
    [headings.configuration, run(() => checkConfiguration({ deployment, env: process.env }))],
  ]
  if (isOffline) {
    const finding = skipped('offline')`
      没有检查微信、数据库和地址（--offline）
      WeChat, database and URLs were not checked (--offline)`
    return [...own, [{ zh: '外部', en: 'Outside' }, Promise.resolve([finding])]]
  }
  const urls = addresses.length > 0 ? addresses : ownDomain(deployment)
  return [
    ...own,
    [headings.wechat, run(() => checkWeChat(service))],
    [headings.database, run(() => checkDatabase(service))],
    [headings.urls, run(() => checkUrls(urls))],
  ]
}

/** A failure is shown when its turn comes, and leaves the other checks alone. */
function run(check: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  const findings = (async () => check())()
  findings.catch(() => undefined)
  return findings
}

/** By name only: a message may repeat what it was given. */
function broken(failure: unknown): Finding {
  const name = failure instanceof Error ? failure.name : typeof failure
  return error('doctor.failed')`
    这项检查自身出错了（${name}）
    this check itself failed (${name})
    请把这一行报告给维护者
    please report this line to the maintainers`
}

function unreadable({ message }: UnreadableConfiguration): Finding {
  return error('configuration.unreadable')`
    serverless.yml 无法读取：${message}
    serverless.yml cannot be read: ${message}
    改正后可用 npx serverless print 查看结果
    correct it; npx serverless print shows the result`
}

function ownDomain({ service: { customDomain } }: Deployment): string[] {
  if (!customDomain || !/^[a-z0-9.-]+$/i.test(customDomain.domain)) return []
  return [`${customDomain.protocol === 'HTTP' ? 'http' : 'https'}://${customDomain.domain}`]
}

await runCommand({
  usage,
  options: {
    stage: { type: 'string' },
    url: { type: 'string', multiple: true, default: [] as string[] },
    offline: { type: 'boolean', default: false },
    lang: { type: 'string', default: 'both' },
  },
  async run({ stage, url, offline, lang }) {
    if (lang !== 'zh' && lang !== 'en' && lang !== 'both') {
      throw new Error('--lang 只能是 is one of: zh, en, both')
    }
    const code = await examine({ stage, addresses: url, isOffline: offline, language: lang })
    // A name still being looked up would keep the process alive after everything is said.
    process.stdout.write('', () => process.exit(code))
  },
})
