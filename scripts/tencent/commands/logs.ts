/** `serverless logs`: a function's lines out of Cloud Log Service; `--tail` goes on until it is interrupted. */
import { setTimeout as delay } from 'node:timers/promises'
import { CommandProblem } from '../../cli/problem.ts'
import { functionCalled } from '../../service/service.ts'
import type { CloudClient, LogPage } from '../cloud/client.ts'
import { functionNamed } from '../waiting.ts'
import { type Command, type CommandContext, regionOption, textOption } from './context.ts'

const pageSize = 200
const defaultStart = '10m'
const defaultIntervalMs = 2000
/** Lines reach the log service late and out of order, so each look goes back this far and leaves out what was shown. */
const lookBackMs = 60_000

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `30s`, `10m`, `2h`, `1d` ago, or a date. Epoch milliseconds. */
export function startTimeMs(text: string, nowMs: number): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  if (count && unit) return nowMs - Number(count) * (unitMs[unit] ?? 0)
  const at = Date.parse(text)
  if (Number.isNaN(at))
    throw new CommandProblem(`--startTime "${text}" is neither like 30s, 10m, 2h, 1d nor a date.`)
  return at
}

/** CQL (cloud.tencent.com/document/product/614/47044): every value quoted, so that nothing in it is syntax. */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

function lineOf(result: LogPage['Results'][number]): string {
  const fields = JSON.parse(result.LogJson) as Record<string, unknown>
  const message = String(fields.SCF_Message ?? result.LogJson).replace(/\n$/, '')
  return `${new Date(result.Time).toISOString()} ${message}`
}

async function topicOf(cloud: CloudClient, name: string): Promise<string> {
  const found = await cloud.call('GetFunction', functionNamed(name, cloud))
  if (found.ClsTopicId) return found.ClsTopicId
  throw new CommandProblem(
    `${name} writes to no log topic. Set cls.logsetId and cls.topicId in serverless.yml, or switch logs on in the console.`,
  )
}

async function logs(context: CommandContext): Promise<void> {
  const { options } = context
  const wanted = functionCalled(context.service, textOption(options, 'function') ?? '')
  const intervalMs = Number(textOption(options, 'interval') ?? defaultIntervalMs)
  if (!(intervalMs >= 100)) throw new CommandProblem('--interval is milliseconds, at least 100.')
  let fromMs = startTimeMs(textOption(options, 'startTime') ?? defaultStart, Date.now())
  const filter = textOption(options, 'filter')
  const cloud = await context.connect()
  const topic = await topicOf(cloud, wanted.name)
  const query = [
    `SCF_FunctionName:${quoted(wanted.name)}`,
    `SCF_Namespace:${quoted(cloud.namespace)}`,
    ...(filter ? [quoted(filter)] : []),
  ].join(' AND ')

  const shown = new Set<string>()
  for (;;) {
    const toMs = Date.now()
    for (let page = '', over = false; !over; ) {
      const answer = await cloud.searchLog({
        TopicId: topic,
        From: fromMs,
        To: toMs,
        Query: query,
        Limit: pageSize,
        Context: page,
      })
      for (const result of answer.Results ?? []) {
        const id = `${result.PkgId}/${result.PkgLogId}`
        if (!shown.has(id)) context.print(lineOf(result))
        shown.add(id)
      }
      page = answer.Context
      over = answer.ListOver || !answer.Context
    }
    if (!options.tail) return
    fromMs = Math.max(fromMs, toMs - lookBackMs)
    await delay(intervalMs)
  }
}

export const logsCommand: Command = {
  definitions: { logs: { options: regionOption } },
  hooks: { 'logs:logs': logs },
}
