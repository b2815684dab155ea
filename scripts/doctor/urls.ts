/** Deployed addresses: whether the functions behind them answer, and how long the certificate lasts. */

import { isLoopbackHost } from '../../shared/network-addresses.ts'
import { isOwnRefusal, judgeForm, nameOf, unknownPath } from '../service/answers.ts'
import { type AnswerOfAddress, exchange, NoAnswer } from './http-exchange.ts'
import { networkReason } from './network-words.ts'
import { error, type Finding, ok, skipped, warning } from './report.ts'

const DEADLINE_MS = 12_000
const DAY_MS = 86_400_000
const WARN_BELOW_DAYS = 14

export interface UrlOptions {
  deadlineMs?: number
  /** A certificate authority (PEM) to trust in place of Node's. */
  ca?: string
  now?: () => number
}

/** Findings `urls.<what>`, for addresses as `--url` gives them. */
export async function checkUrls(
  addresses: readonly string[],
  options: UrlOptions = {},
): Promise<Finding[]> {
  if (addresses.length === 0) {
    return [
      skipped('urls.none')`
        没有检查地址：用 --url 给出函数 URL 或自定义域名（serverless info 会列出）
        no address was checked: give Function URLs or the domain with --url (serverless info lists them)`,
    ]
  }
  return (await Promise.all(addresses.map((address) => checkUrl(address, options)))).flat()
}

async function checkUrl(address: string, options: UrlOptions): Promise<Finding[]> {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || !['https:', 'http:'].includes(url.protocol)) {
    return [
      error('urls.not-a-url')`
        --url 的值不是 http(s) 地址
        a --url is not an http(s) address
        例如 --url https://api.example.com
        for example --url https://api.example.com`,
    ]
  }
  const shown = `${url.origin}${url.pathname.replace(/\/$/, '')}`
  const ask = (path: string): Promise<AnswerOfAddress> =>
    exchange({
      url: new URL(`${shown}${path}`),
      deadlineMs: options.deadlineMs ?? DEADLINE_MS,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    })
  try {
    const [form, unknown] = [await ask('/form'), await ask(unknownPath)]
    return [
      formFinding(shown, form),
      ...unknownFindings(shown, unknown),
      ...judgeTransport(shown, form, (options.now ?? Date.now)()),
    ]
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure
    const reason = networkReason(failure.code)
    return [
      error('urls.unreachable')`
        ${shown}：${reason.zh}
        ${shown}: ${reason.en}
        ${reason.todo.zh}
        ${reason.todo.en}`,
    ]
  }
}

function formFinding(shown: string, answer: AnswerOfAddress): Finding {
  const verdict = judgeForm(answer)
  if (verdict === 'form') {
    return ok('urls.form')`
      ${shown} 正常，/form 给出评分表
      ${shown} answers, and /form gives the rating form`
  }
  if (verdict === 'no-form') {
    return ok('urls.form')`
      ${shown} 正常（不提供 /form 的函数）
      ${shown} answers (a function that does not serve /form)`
  }
  if (verdict === 'misconfigured') {
    return error('urls.misconfigured')`
      ${shown} 的函数在运行，但它的环境变量不对
      the function at ${shown} runs, but its variables are not acceptable
      按上面的“配置”改正后重新 serverless deploy；serverless logs 里有变量名
      correct what stands under “Configuration”, then serverless deploy; serverless logs names the variables`
  }
  const what = nameOf(answer)
  return error('urls.form')`
    ${shown}/form 的回答不对（HTTP ${answer.status}，${what}）
    ${shown}/form answers something else (HTTP ${answer.status}, ${what})
    确认地址来自 serverless info；用 serverless logs 看函数为何失败
    compare the address with serverless info; serverless logs says why the function fails`
}

function unknownFindings(shown: string, answer: AnswerOfAddress): Finding[] {
  if (isOwnRefusal(answer)) return []
  return [
    error('urls.problem-json')`
      ${shown} 对未知路径没有回答 application/problem+json（HTTP ${answer.status}）
      ${shown} does not answer an unknown path with application/problem+json (HTTP ${answer.status})
      确认地址后面是本项目的函数，中间没有改写回答的网关
      make sure that it leads to these functions, with no gateway in between that rewrites answers`,
  ]
}

function judgeTransport(shown: string, answer: AnswerOfAddress, nowMs: number): Finding[] {
  const { protocol, hostname } = new URL(shown)
  if (protocol === 'http:') {
    const isLocal = isLoopbackHost(hostname)
    return [
      (isLocal ? warning : error)('urls.plain-http')`
        ${shown} 不是 HTTPS：小程序正式版只能访问 HTTPS
        ${shown} is not HTTPS: a released mini program reaches HTTPS only
        用函数 URL，或给自定义域名配置证书
        use the Function URL, or give the custom domain a certificate`,
    ]
  }
  if (answer.certificateEndsMs === undefined) return []
  const daysLeft = Math.floor((answer.certificateEndsMs - nowMs) / DAY_MS)
  return [
    (daysLeft < WARN_BELOW_DAYS ? warning : ok)('urls.certificate')`
      ${shown} 的证书还有 ${daysLeft} 天有效
      the certificate of ${shown} is valid for another ${daysLeft} days
      尽快续期证书
      renew the certificate soon`,
  ]
}
