/**
 * Every variable and setting of a deployment, judged by the rules that judge it anyway: those of the functions at their
 * start (compose.ts) and those of a deploy before it sends anything (preflight.ts).
 */

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { isLoopbackHost } from '../../shared/network-addresses.ts'
import * as compose from '../../shared/wiring/compose.ts'
import { ConfigurationError } from '../../shared/wiring/configuration.ts'
import { preflight } from '../tencent/preflight.ts'
import type { DesiredFunction, DesiredService } from '../tencent/service.ts'
import { variableRules } from '../tencent/variables.ts'
import { adviceOn } from './advice.ts'
import { inChinese } from './chinese.ts'
import type { Deployment } from './deployment.ts'
import { error, type Finding, ok, warning } from './report.ts'
import { reusedSecrets } from './secrets.ts'
import { probablyMeant } from './spelling.ts'

type Environment = Readonly<Record<string, string | undefined>>

interface ConfigurationCheck {
  deployment: Deployment
  env: Environment
  /** The project's folder: what a function needs is read from its index.ts. */
  folder: string
}

/** Findings `configuration.<variable>` and `configuration.<setting>`. Nothing is called. */
export function checkConfiguration(check: ConfigurationCheck): Finding[] {
  const { deployment } = check
  const { service } = deployment
  const envFile = deployment.envFile ?? `.env.${service.stage}`
  const faults = mergedFaults(check)
  const wrong = new Set(faults.map(({ variable }) => variable))
  const declared = [...new Set(service.functions.flatMap((each) => each.declared))]
  const isSet = (name: string): boolean => service.functions.some((each) => each.variables[name])
  const required = declared.filter((name) => variableRules[name]?.required)
  const findings = [
    ...(required.length > 0 && !required.some(isSet) ? [nothingSet(service.stage)] : []),
    ...faults.map((fault) => findingOf(fault, envFile)),
    ...reusedSecrets(service, envFile),
    ...exampleValues(deployment, envFile),
    ...expandedValues(check),
    ...(wrong.has('WECHAT_API_URL') ? [] : otherWeChat(service)),
    ...misspellings(check),
  ]
  const named = new Set(findings.map(({ id }) => id))
  const good = declared.filter((name) => isSet(name) && !named.has(`configuration.${name}`))
  return good.length === 0 ? findings : [...findings, inOrder(good)]
}

function inOrder(names: readonly string[]): Finding {
  return ok('configuration.variables', {
    zh: `变量格式正确：${names.join('、')}`,
    en: `variables in order: ${names.join(', ')}`,
  })
}

function nothingSet(stage: string): Finding {
  return error(
    'configuration.nothing-set',
    {
      zh: '还没有任何部署配置。本地开发不需要配置（npm run dev），部署才需要',
      en: 'there is no configuration for a deployment yet; npm run dev needs none, a deployment does',
    },
    {
      zh: `先执行 cp .env.example .env.${stage}，按下面每一项填写，再运行 npm run doctor -- --stage ${stage}`,
      en: `first: cp .env.example .env.${stage}, fill in what is listed below, then npm run doctor -- --stage ${stage}`,
    },
  )
}

interface Fault {
  /** Name of the variable, or '' for a setting of serverless.yml. */
  variable: string
  /** What is wrong, in English, without the variable's name and without any value. */
  sentence: string
  functions: readonly string[]
}

/** One entry per variable and sentence; a variable both rule books complain of shows the deploy's sentence. */
function mergedFaults({ deployment: { service }, folder }: ConfigurationCheck): Fault[] {
  const all = service.functions.flatMap((each) => {
    const found = [...deployFaults(service, each)]
    for (const fault of startFaults(each, folder)) {
      if (!found.some(({ variable }) => variable === fault.variable)) found.push(fault)
    }
    return found.map((fault) => ({ ...fault, functions: [each.key] }))
  })
  const merged = new Map<string, Fault>()
  for (const fault of [...all, ...domainFaults(service)]) {
    const id = `${fault.variable} ${fault.sentence}`
    const functions = [...(merged.get(id)?.functions ?? []), ...fault.functions]
    merged.set(id, { ...fault, functions })
  }
  return [...merged.values()]
}

function deployFaults(
  service: DesiredService,
  wanted: DesiredFunction,
): Omit<Fault, 'functions'>[] {
  const { customDomain: _, ...withoutDomain } = service
  const own = `${wanted.key}: `
  return (
    preflightSentences(withoutDomain, [wanted])
      .filter((sentence) => sentence.startsWith(own))
      .map((sentence) => splitVariable(sentence.slice(own.length), wanted.declared))
      // The offline WeChat's address: warned about below, together with other addresses.
      .filter(
        ({ variable }) => variable !== 'WECHAT_API_URL' || !isLoopback(wanted.variables[variable]),
      )
      // Judged from the code's own budgets by timeouts.ts.
      .filter(({ sentence }) => !/^timeout \d+ is too short/.test(sentence))
  )
}

function domainFaults(service: DesiredService): Fault[] {
  return preflightSentences(service, []).map((sentence) => ({
    variable: '',
    sentence: sentence.replace(/"[^"]*"/, 'CUSTOM_DOMAIN'),
    functions: [],
  }))
}

function preflightSentences(service: DesiredService, functions: readonly DesiredFunction[]) {
  const [, ...sentences] = preflight(service, functions, [])?.message.split('\n  - ') ?? []
  return sentences.map((sentence) => sentence.replace(/; make one with: .*/s, ''))
}

/** Parts that serve() and the authority make for every function. */
const everyFunction: ReadonlySet<string> = new Set([
  'allowedOriginsFrom',
  'compressFrom',
  ...Object.values(compose.authority).map(({ name }) => name),
])

/** What the function itself would refuse at its start, by the parts its index.ts names. */
function startFaults({ key, variables, declared }: DesiredFunction, folder: string) {
  const source = sourceOf(path.join(folder, 'functions', key, 'index.ts'))
  const faults: Omit<Fault, 'functions'>[] = []
  for (const [name, part] of Object.entries(compose)) {
    if (!name.endsWith('From') || typeof part !== 'function') continue
    const isNeeded = new RegExp(`\\b${name}\\b`).test(source) || everyFunction.has(name)
    if (!isNeeded) continue
    try {
      ;(part as compose.Part<unknown>)(variables)
    } catch (failure) {
      if (!(failure instanceof ConfigurationError)) throw failure
      for (const sentence of failure.variables) faults.push(splitVariable(sentence))
    }
  }
  return faults.map((fault) =>
    declared.includes(fault.variable) || fault.sentence !== 'is missing'
      ? fault
      : { ...fault, sentence: 'is needed, but serverless.yml does not give it to the function' },
  )
}

function sourceOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function splitVariable(text: string, names?: readonly string[]): Omit<Fault, 'functions'> {
  const [, variable, sentence] = /^(?:the variable )?([A-Z][A-Z0-9_]+) (.*)$/s.exec(text) ?? []
  if (!variable || !sentence || (names && !names.includes(variable)))
    return { variable: '', sentence: text }
  return { variable, sentence }
}

function findingOf({ variable, sentence, functions }: Fault, envFile: string): Finding {
  const where = functions.length === 0 ? '' : functions.join(', ')
  if (variable === '') {
    return error(
      'configuration.serverless-yml',
      {
        zh: `${where ? `${where}：` : ''}${inChinese(sentence) ?? sentence}`,
        en: `${where ? `${where}: ` : ''}${sentence}`,
      },
      {
        zh: '改正 serverless.yml 或它引用的变量',
        en: 'correct serverless.yml, or the variable behind it',
      },
    )
  }
  const isUndeclared = sentence.startsWith('is needed, but')
  const zh = isUndeclared ? '是必需的，但 serverless.yml 没有把它交给函数' : inChinese(sentence)
  const words = {
    zh: `${variable} ${zh ?? `不正确：${sentence}`}（${functions.join('、')}）`,
    en: `${variable} ${sentence} (${where})`,
  }
  const todo = isUndeclared
    ? {
        zh: `在 serverless.yml 这些函数的 environment 下加上 ${variable}`,
        en: `add ${variable} under environment of these functions in serverless.yml`,
      }
    : adviceOn(variable, envFile)
  // Right for work on this computer, wrong for a deployment, which refuses it by itself.
  if (sentence.startsWith('leads to this computer')) {
    return warning(`configuration.${variable}`, words, todo)
  }
  return error(`configuration.${variable}`, words, todo)
}

function exampleValues({ service, exampleValues }: Deployment, envFile: string): Finding[] {
  const names = new Set(
    service.functions.flatMap(({ variables }) =>
      Object.keys(variables).filter((name) => exampleValues[name] === variables[name]),
    ),
  )
  return [...names].map((name) =>
    error(
      `configuration.${name}`,
      {
        zh: `${name} 还是 .env.example 里的示例值`,
        en: `${name} still has the value of .env.example`,
      },
      adviceOn(name, envFile),
    ),
  )
}

/** The framework replaces `$name` inside a .env file, which `npm run dev` and `npm run migrate` do not. */
function expandedValues({ deployment, env }: ConfigurationCheck): Finding[] {
  const { service, fileValues, envFile = '.env' } = deployment
  const deployed: Record<string, string> = Object.assign(
    {},
    ...service.functions.map(({ variables }) => variables),
  )
  return Object.entries(fileValues).flatMap(([name, written]) => {
    const isChanged =
      written.includes('$') && name in deployed && !env[name] && deployed[name] !== written
    if (!isChanged) return []
    return warning(
      `configuration.${name}`,
      {
        zh: `${envFile} 里 ${name} 含有 $，部署时会被当作变量展开，实际的值与所写不同`,
        en: `${name} in ${envFile} contains $, which a deploy expands as a variable: the value is not what is written`,
      },
      {
        zh: '把 $ 写成 \\$，或换一个不含 $ 的值（密码里的 $ 可写成 %24）',
        en: 'write \\$ for $, or choose a value without it (in a password: %24)',
      },
    )
  })
}

function otherWeChat(service: DesiredService): Finding[] {
  const addresses = service.functions.map(({ variables }) => variables.WECHAT_API_URL)
  const other = addresses.find((address) => address && !isWeChat(address))
  if (other === undefined) return []
  return [
    warning(
      'configuration.WECHAT_API_URL',
      {
        zh: 'WECHAT_API_URL 不是微信的地址：登录凭证和 AppSecret 会发到那里',
        en: 'WECHAT_API_URL is not WeChat’s address: login codes and the AppSecret go there',
      },
      {
        zh: '部署前请删除 WECHAT_API_URL；只有本地的模拟微信需要它',
        en: 'remove WECHAT_API_URL before a deploy; only an offline WeChat needs it',
      },
    ),
  ]
}

function isLoopback(address: string | undefined): boolean {
  if (!address || !URL.canParse(address)) return false
  return isLoopbackHost(new URL(address).hostname)
}

function isWeChat(address: string): boolean {
  return URL.canParse(address) && new URL(address).hostname === 'api.weixin.qq.com'
}

/** Names of the file and of the shell that resemble one of ours which has no value. */
function misspellings({ deployment, env }: ConfigurationCheck): Finding[] {
  const { fileValues, knownNames, service, envFile = '.env' } = deployment
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
    const where = { zh: inFile ? envFile : '环境变量', en: inFile ? envFile : 'the environment' }
    return warning(
      'configuration.misspelt',
      {
        zh: `${where.zh} 里的 ${name} 没有人读取，是不是 ${meant}？`,
        en: `nothing reads ${name} in ${where.en}; did you mean ${meant}?`,
      },
      { zh: `改名为 ${meant}，或删除 ${name}`, en: `rename it to ${meant}, or remove ${name}` },
    )
  })
}
