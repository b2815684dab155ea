/**
 * Every variable and setting of a deployment, judged as a deploy judges it before it sends anything: by what the functions
 * declare and the rules they start by.
 */

import { faultsOf } from '../../shared/wiring/compose.ts'
import { fill } from '../../shared/wiring/configuration.ts'
import { readAnsweredTimers, readDeclarations } from '../build/declarations.ts'
import type { DesiredFunction, DesiredService } from '../service/service.ts'
import { type DeployFault, type FaultCode, faultSentences } from '../tencent/fault.ts'
import { preflight } from '../tencent/preflight.ts'
import { adviceOn, givingOf } from './advice.ts'
import { inChinese } from './chinese.ts'
import type { Deployment } from './deployment.ts'
import { error, type Finding, ok, warning } from './report.ts'
import { probablyMeant } from './spelling.ts'

interface ConfigurationCheck {
  deployment: Deployment
  env: Readonly<Record<string, string | undefined>>
}

/** Findings `configuration.<variable>` and `configuration.<setting>`. Nothing is called. */
export async function checkConfiguration(check: ConfigurationCheck): Promise<Finding[]> {
  const { deployment } = check
  const { service } = deployment
  const { functions } = service
  const envFile = deployment.envFile ?? `.env.${service.stage}`
  const keys = functions.map(({ key }) => key)
  const declarations = await readDeclarations(keys)
  const answeredTimers = await readAnsweredTimers(keys)
  const faults = preflight({ service, functions, packages: [], declarations, answeredTimers })
  const set = new Set(functions.flatMap(({ variables }) => Object.keys(variables)))
  const required = [...declarations.values()].flatMap((parts) => faultsOf(parts, {}))
  const findings = [
    ...(required.some(({ variable }) => set.has(variable)) ? [] : [nothingSet(service.stage)]),
    ...faults.map((fault) => findingOf(fault, envFile)),
    ...functions.flatMap(scarceMemory),
    ...(faults.some(({ variable }) => variable === 'WECHAT_API_URL') ? [] : otherWeChat(service)),
    ...misspellings(check),
  ]
  const named = new Set(findings.map(({ id }) => id))
  const good = [...set].filter((name) => !named.has(`configuration.${name}`))
  return good.length === 0 ? findings : [...findings, inOrder(good)]
}

function inOrder(names: readonly string[]): Finding {
  return ok('configuration.variables')`
    变量格式正确：${names.join('、')}
    variables in order: ${names.join(', ')}`
}

function nothingSet(stage: string): Finding {
  return error('configuration.nothing-set')`
    还没有任何部署配置。本地开发不需要配置（npm run dev），部署才需要
    there is no configuration for a deployment yet; npm run dev needs none, a deployment does
    先执行 cp .env.example .env.${stage}，按下面每一项填写，再运行 npm run doctor -- --stage ${stage}
    first: cp .env.example .env.${stage}, fill in what is listed below, then npm run doctor -- --stage ${stage}`
}

/** Fine for work on this computer, and a deploy refuses it by itself. */
const WARNINGS: ReadonlySet<FaultCode> = new Set(['this-computer'])

function findingOf(fault: DeployFault, envFile: string): Finding {
  const { functions, variable, code, details } = fault
  const [zh, en] = [inChinese(code, details), fill(faultSentences[code], details)]
  if (variable === undefined) {
    return error('configuration.serverless-yml')`
      ${functions.length > 0 ? `${functions.join('、')}：` : ''}${zh}
      ${functions.length > 0 ? `${functions.join(', ')}: ` : ''}${en}
      改正 serverless.yml 或它引用的变量
      correct serverless.yml, or the variable behind it`
  }
  const todo = code === 'not-given' ? givingOf(variable) : adviceOn(variable, envFile)
  return (WARNINGS.has(code) ? warning : error)(`configuration.${variable}`)`
    ${variable} ${zh}（${functions.join('、')}）
    ${variable} ${en} (${functions.join(', ')})
    ${todo.zh}
    ${todo.en}`
}

/** A function holds 48 to 68 MB after ten thousand requests; with less than this the platform may end it. */
const ROOMY_MEMORY_MB = 128

function scarceMemory({ key, memorySize }: DesiredFunction): Finding[] {
  if (memorySize >= ROOMY_MEMORY_MB) return []
  return [
    warning('configuration.memory')`
      ${key} 只有 ${memorySize} MB 内存：运行中会用到约 70 MB，可能被平台中止
      ${key} has ${memorySize} MB: it uses up to about 70 MB, and the platform may end it
      在 serverless.yml 里把 memorySize 设为 ${ROOMY_MEMORY_MB} 以上
      set memorySize in serverless.yml to ${ROOMY_MEMORY_MB} or more`,
  ]
}

function otherWeChat(service: DesiredService): Finding[] {
  const addresses = service.functions.map(({ variables }) => variables.WECHAT_API_URL)
  const other = addresses.find((address) => address && !isWeChat(address))
  if (other === undefined) return []
  return [
    warning('configuration.WECHAT_API_URL')`
      WECHAT_API_URL 不是微信的地址：登录凭证和 AppSecret 会发到那里
      WECHAT_API_URL is not WeChat’s address: login codes and the AppSecret go there
      部署前请删除 WECHAT_API_URL；只有本地的模拟微信需要它
      remove WECHAT_API_URL before a deploy; only an offline WeChat needs it`,
  ]
}

function isWeChat(address: string): boolean {
  return URL.canParse(address) && new URL(address).hostname === 'api.weixin.qq.com'
}

/** Names of the file and of the shell that resemble one of ours which has no value. */
function misspellings({ deployment, env }: ConfigurationCheck): Finding[] {
  const { fileValues, knownNames, service, envFile = '.env.NAME' } = deployment
  const isGiven = (name: string): boolean =>
    Boolean(env[name] || fileValues[name]) ||
    service.functions.some(({ variables }) => variables[name])
  const written = [
    ...Object.keys(fileValues).map((name) => ({ name, inFile: true })),
    ...Object.keys(env)
      .filter((name) => !(name in fileValues))
      .map((name) => ({ name, inFile: false })),
  ]
  return written.flatMap(({ name, inFile }) => {
    const meant = probablyMeant(name, knownNames)
    if (!meant || (!inFile && isGiven(meant))) return []
    return warning('configuration.misspelt')`
      ${inFile ? envFile : '环境变量'} 里的 ${name} 没有人读取，是不是 ${meant}？
      nothing reads ${name} in ${inFile ? envFile : 'the environment'}; did you mean ${meant}?
      改名为 ${meant}，或删除 ${name}
      rename it to ${meant}, or remove ${name}`
  })
}
