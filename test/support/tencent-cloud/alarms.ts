/** Alarms of the log service (cloud.tencent.com/document/product/614/42830), and whether the log fulfils their condition. */
import { matcher } from './log-query.ts'
import { Refusal } from './refusal.ts'

/** Its parameters, in the notation of the SDK's declarations. */
export const alarmDeclarations = `
export interface CreateAlarmRequest {
    Name: string;
    AlarmTargets: Array<AlarmTarget>;
    MonitorTime: MonitorTime;
    TriggerCount: number;
    AlarmPeriod: number;
    AlarmNoticeIds: Array<string>;
    Condition?: string;
    Status?: boolean;
}
export interface ModifyAlarmRequest {
    AlarmId: string;
    Name?: string;
    AlarmTargets?: Array<AlarmTarget>;
    MonitorTime?: MonitorTime;
    TriggerCount?: number;
    AlarmPeriod?: number;
    AlarmNoticeIds?: Array<string>;
    Condition?: string;
    Status?: boolean;
}
export interface DeleteAlarmRequest {
    AlarmId: string;
}
export interface DescribeAlarmsRequest {
    Filters?: Array<TopicFilter>;
    Offset?: number;
    Limit?: number;
}
export interface AlarmTarget {
    TopicId: string;
    Query: string;
    Number: number;
    StartTimeOffset: number;
    EndTimeOffset: number;
    LogsetId: string;
    SyntaxRule?: number;
}
export interface MonitorTime {
    Type: string;
    Time: number;
}
`

interface Target {
  TopicId: string
  Query: string
  StartTimeOffset: number
  EndTimeOffset: number
}

export interface StoredAlarm {
  AlarmId: string
  Name: string
  AlarmTargets: Target[]
  MonitorTime: { Type: string; Time: number }
  Condition: string
  TriggerCount: number
  AlarmPeriod: number
  AlarmNoticeIds: string[]
  Status: boolean
}

type Matches = (fields: Record<string, string>) => boolean

const conditionPattern = /^\[\$1\.__QUERYCOUNT__\]> (\d+)$/
const mostPerPage = 100

/** `topics`: those there are. */
export function createAlarms(topics: readonly string[]) {
  const stored = new Map<string, StoredAlarm>()
  let made = 0

  const check = (alarm: StoredAlarm): StoredAlarm => {
    const refuse = (what: string): never => {
      throw new Refusal('InvalidParameter', `${what} 不符合规范。`)
    }
    if (!/^[\w.-]{1,255}$/.test(alarm.Name)) refuse('Name')
    if (
      [...stored.values()].some(
        (each) => each.Name === alarm.Name && each.AlarmId !== alarm.AlarmId,
      )
    )
      throw new Refusal('InvalidParameter.AlarmConflict', '告警策略名称已存在。')
    if (alarm.AlarmTargets.length !== 1) refuse('AlarmTargets')
    for (const { TopicId, Query, StartTimeOffset, EndTimeOffset } of alarm.AlarmTargets) {
      if (!topics.includes(TopicId))
        throw new Refusal('ResourceNotFound.TopicNotExist', '日志主题不存在。')
      matcher(Query)
      if (StartTimeOffset >= EndTimeOffset || EndTimeOffset > 0) refuse('StartTimeOffset')
    }
    if (!conditionPattern.test(alarm.Condition)) refuse('Condition')
    if (!['Period', 'Fixed', 'Cron'].includes(alarm.MonitorTime.Type)) refuse('MonitorTime')
    if (alarm.TriggerCount < 1 || alarm.AlarmPeriod < 0 || alarm.AlarmPeriod > 1440)
      refuse('AlarmPeriod')
    if (!alarm.AlarmNoticeIds.every((id) => /^notice-[\w-]+$/.test(id)))
      throw new Refusal('ResourceNotFound.AlarmNoticeNotExist', '通知渠道组不存在。')
    return alarm
  }

  const find = (id: string): StoredAlarm => {
    const found = stored.get(id)
    if (!found) throw new Refusal('ResourceNotFound.AlarmNotExist', '告警策略不存在。')
    return found
  }

  return {
    all: (): StoredAlarm[] => [...stored.values()],
    create({ Condition = '', Status = true, ...given }: Partial<StoredAlarm>): object {
      const AlarmId = `alarm-${++made}`
      stored.set(AlarmId, check({ ...(given as StoredAlarm), Condition, Status, AlarmId }))
      return { AlarmId }
    },
    modify(given: Partial<StoredAlarm> & { AlarmId: string }): object {
      stored.set(given.AlarmId, check({ ...find(given.AlarmId), ...given }))
      return {}
    },
    delete({ AlarmId }: { AlarmId: string }): object {
      stored.delete(find(AlarmId).AlarmId)
      return {}
    },
    describe({
      Filters = [],
      Offset = 0,
      Limit = 20,
    }: {
      Filters?: { Key: string; Values: string[] }[]
      Offset?: number
      Limit?: number
    }): object {
      if (Limit > mostPerPage) throw new Refusal('InvalidParameter', 'Limit 最大为 100。')
      if (Filters.some(({ Key }) => Key !== 'topicId'))
        throw new Refusal('InvalidParameter', '过滤条件不支持。')
      const found = [...stored.values()].filter(({ AlarmTargets }) =>
        Filters.every(({ Values }) => AlarmTargets.some(({ TopicId }) => Values.includes(TopicId))),
      )
      return { TotalCount: found.length, Alarms: found.slice(Offset, Offset + Limit) }
    },
    /** `count`: how many records of a topic match. */
    firing: (count: (topic: string, matches: Matches) => number): string[] =>
      [...stored.values()]
        .filter(({ AlarmTargets: [target], Condition, Status }) => {
          const [, moreThan] = conditionPattern.exec(Condition) ?? []
          return Status && target && count(target.TopicId, matcher(target.Query)) > Number(moreThan)
        })
        .map(({ Name }) => Name),
  }
}
