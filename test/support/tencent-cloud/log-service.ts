/** The part of Cloud Log Service a function's logs live in: SearchLog (cloud.tencent.com/document/api/614/56447). */

import { createAlarms } from './alarms.ts'
import { matcher } from './log-query.ts'
import { Refusal } from './refusal.ts'
import type { Run } from './run-code.ts'
import type { Runnable } from './runnable.ts'

/** SearchLog's parameters, in the notation of the SDK's declarations; that SDK package is not published for Node. */
export const logServiceDeclarations = `
export interface SearchLogRequest {
    From: number;
    To: number;
    Query?: string;
    QueryString?: string;
    SyntaxRule?: number;
    QuerySyntax?: number;
    TopicId?: string;
    Sort?: string;
    Limit?: number;
    Offset?: number;
    Context?: string;
    UseNewAnalysis?: boolean;
    HighLight?: boolean;
}
export interface DescribeTopicsRequest {
    Filters?: Array<TopicFilter>;
    Offset?: number;
    Limit?: number;
}
export interface ModifyTopicRequest {
    TopicId: string;
    Period?: number;
}
export interface TopicFilter {
    Key: string;
    Values: Array<string>;
}
`

interface Entry {
  timeMs: number
  topic: string
  order: number
  fields: Record<string, string>
}

export interface SearchParameters {
  From: number
  To: number
  Query?: string
  QueryString?: string
  TopicId?: string
  Sort?: string
  Limit?: number
  Context?: string
  SyntaxRule?: number
}

const mostPerCall = 1000

export interface LogServiceOptions {
  topics: readonly string[]
  isActivated: boolean
}

interface TopicParameters {
  Filters?: { Key: string; Values: string[] }[]
  Limit?: number
}

/** `topics`: those there are. Until the service is activated in the console there is none, and no call is answered. */
export function createLogService({ topics, isActivated }: LogServiceOptions) {
  const entries: Entry[] = []
  const periods = new Map(topics.map((topic) => [topic, 7]))
  const alarms = createAlarms(topics)
  return {
    alarms,
    /** The names of alarms whose condition the log fulfils. */
    firing: (): string[] =>
      alarms.firing(
        (topic, matches) =>
          entries.filter((entry) => entry.topic === topic && matches(entry.fields)).length,
      ),
    modifyTopic({ TopicId, Period }: { TopicId: string; Period?: number }): object {
      if (!periods.has(TopicId))
        throw new Refusal('ResourceNotFound.TopicNotExist', '日志主题不存在。')
      if (Period !== undefined && Period !== 3640 && (Period < 1 || Period > 3600))
        throw new Refusal('InvalidParameter', 'Period 不在范围内。')
      if (Period !== undefined) periods.set(TopicId, Period)
      return {}
    },
    /** Why a function cannot write to this topic. */
    faultOf(topic: string): string | undefined {
      if (!isActivated) return 'CLS service is not activated'
      return topics.includes(topic) ? undefined : `log topic ${topic} does not exist`
    },
    describeTopics({ Filters = [], Limit = 20 }: TopicParameters): object {
      if (!isActivated) throw new Refusal('OperationDenied.ClsNotActivated', '日志服务未开通。')
      if (Filters.some(({ Key }) => Key !== 'topicId'))
        throw new Refusal('InvalidParameter', '过滤条件不支持。')
      const found = topics.filter((topic) => Filters.every(({ Values }) => Values.includes(topic)))
      return {
        TotalCount: found.length,
        Topics: found.slice(0, Limit).map((TopicId) => ({ TopicId, Period: periods.get(TopicId) })),
      }
    },
    record(stored: Runnable, run: Pick<Run, 'requestId' | 'lines' | 'failure'>): void {
      for (const line of run.lines) {
        const isPlatforms = /^(START|END|Report|Response|ERROR) /.test(line)
        if (isPlatforms && stored.ignoresSystemLog) continue
        const timeMs = Date.now()
        entries.push({
          timeMs,
          topic: stored.topic,
          order: entries.length,
          fields: {
            SCF_FunctionName: stored.name,
            SCF_Namespace: stored.namespace,
            SCF_Qualifier: stored.version,
            SCF_RequestId: run.requestId,
            SCF_LogTime: String(timeMs * 1_000_000),
            SCF_StatusCode: String(run.failure?.statusCode ?? 200),
            SCF_Type: isPlatforms ? 'Platform' : 'Custom',
            SCF_Message: line,
          },
        })
      }
    },
    search(parameters: SearchParameters): object {
      if (!parameters.TopicId) throw new Refusal('InvalidParameter', 'TopicId 不能为空。')
      const { Limit = 100, Sort = 'desc', Context = '' } = parameters
      if (Limit > mostPerCall) throw new Refusal('InvalidParameter', 'Limit 最大为 1000。')
      const matches = matcher(parameters.Query ?? parameters.QueryString ?? '')
      const found = entries.filter(
        ({ topic, timeMs, fields }) =>
          topic === parameters.TopicId &&
          timeMs >= parameters.From &&
          timeMs <= parameters.To &&
          matches(fields),
      )
      if (Sort === 'desc') found.reverse()
      const offset = Context === '' ? 0 : Number(Context)
      const page = found.slice(offset, offset + Limit)
      const over = offset + page.length >= found.length
      return {
        Context: over ? '' : String(offset + page.length),
        ListOver: over,
        Analysis: false,
        Results: page.map(({ timeMs, topic, order, fields }) => ({
          Time: timeMs,
          TopicId: topic,
          TopicName: 'SCF_logtopic',
          Source: '127.0.0.1',
          FileName: '',
          PkgId: 'package',
          PkgLogId: String(order),
          LogJson: JSON.stringify(fields),
        })),
      }
    },
  }
}
