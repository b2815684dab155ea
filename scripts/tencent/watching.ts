/** How long a stage's log topic keeps lines, and the alarms on it (CLS, cloud.tencent.com/document/product/614/42830). */
import { CommandProblem } from '../cli/problem.ts'
import type { DesiredService } from '../service/service.ts'
import type { CloudClient } from './cloud/client.ts'
import { CloudFailure } from './cloud/failure.ts'

/** What deserves somebody's attention: as the table under "Monitoring" in scripts/README.md says it. */
export const alarmTexts: readonly { name: string; text: string; moreThan: number }[] = [
  { name: 'error', text: '"level":"error"', moreThan: 0 },
  { name: 'misconfigured', text: '"code":"misconfigured"', moreThan: 0 },
  { name: 'store-unavailable', text: '"code":"store-unavailable"', moreThan: 0 },
  { name: 'wechat-misconfigured', text: '"code":"wechat-misconfigured"', moreThan: 0 },
  { name: 'wechat-rate-limited', text: '"code":"wechat-rate-limited"', moreThan: 0 },
  { name: 'wechat-unavailable', text: '"code":"wechat-unavailable"', moreThan: 10 },
  { name: 'number-taken-over', text: '"event":"number-taken-over"', moreThan: 10 },
  { name: 'forgetting-unfinished', text: '"event":"forgetting-unfinished"', moreThan: 0 },
  { name: 'too-many-requests', text: '"code":"too-many-requests"', moreThan: 100 },
]

/** The stretch that is looked at, and how often. */
const WINDOW_MINUTES = 5
/** While it goes on, it is told again this often. */
const REPEAT_MINUTES = 60
const PAGE = 100

/** The parameters of CreateAlarm that a deploy sets. */
interface Alarm {
  Name: string
  AlarmTargets: {
    LogsetId: string
    TopicId: string
    Query: string
    Number: number
    StartTimeOffset: number
    EndTimeOffset: number
    SyntaxRule: number
  }[]
  MonitorTime: { Type: string; Time: number }
  Condition: string
  TriggerCount: number
  AlarmPeriod: number
  AlarmNoticeIds: string[]
  Status: boolean
}
type ListedAlarm = Alarm & { AlarmId: string }

export interface WatchingPlan {
  topicId: string
  /** To be set; undefined leaves it. */
  retentionDays: number | undefined
  create: Alarm[]
  modify: ListedAlarm[]
  delete: ListedAlarm[]
  /** In words. */
  changes: readonly string[]
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

function alarmsOf({ service, stage, functions, watching, namespace }: DesiredService): Alarm[] {
  const ours = functions.map(({ name }) => `SCF_FunctionName:${quoted(name)}`).join(' OR ')
  const where = `SCF_Namespace:${quoted(namespace)} AND (${ours})`
  return alarmTexts.map(({ name, text, moreThan }) => ({
    Name: `${service}-${stage}-${name}`,
    AlarmTargets: [
      {
        LogsetId: watching.logsetId,
        TopicId: watching.topicId,
        Query: `${where} AND ${quoted(text)}`,
        Number: 1,
        StartTimeOffset: -WINDOW_MINUTES,
        EndTimeOffset: 0,
        SyntaxRule: 1,
      },
    ],
    MonitorTime: { Type: 'Period', Time: WINDOW_MINUTES },
    Condition: `[$1.__QUERYCOUNT__]> ${moreThan}`,
    TriggerCount: 1,
    AlarmPeriod: REPEAT_MINUTES,
    AlarmNoticeIds: [watching.noticeId],
    Status: true,
  }))
}

async function listAlarms(cloud: CloudClient, topicId: string): Promise<ListedAlarm[]> {
  const alarms: ListedAlarm[] = []
  for (;;) {
    const page = (await cloud.callOther('cls', 'DescribeAlarms', {
      Filters: [{ Key: 'topicId', Values: [topicId] }],
      Offset: alarms.length,
      Limit: PAGE,
    })) as { Alarms?: ListedAlarm[]; TotalCount?: number }
    alarms.push(...(page.Alarms ?? []))
    if (alarms.length >= (page.TotalCount ?? 0)) return alarms
    if (!page.Alarms?.length)
      throw new CommandProblem(
        `The log service lists ${alarms.length} of ${page.TotalCount} alarms. Run the command again.`,
      )
  }
}

async function periodOf(cloud: CloudClient, topicId: string): Promise<number | undefined> {
  const { Topics } = (await cloud.callOther('cls', 'DescribeTopics', {
    Filters: [{ Key: 'topicId', Values: [topicId] }],
    Limit: 1,
  })) as { Topics?: { Period?: number }[] }
  return Topics?.[0]?.Period
}

/** Whether the cloud's has everything that ours says; it may have more. */
function holds(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return found === wanted
  if (typeof found !== 'object' || found === null) return false
  if (Array.isArray(wanted) && (found as unknown[]).length !== wanted.length) return false
  return Object.entries(wanted).every(([key, each]) =>
    holds((found as Record<string, unknown>)[key], each),
  )
}

/** `undefined` without a log topic of one's own. Alarms that are not asked for any more are to be deleted. */
export async function planWatching(
  cloud: CloudClient,
  service: DesiredService,
): Promise<WatchingPlan | undefined> {
  const { topicId, noticeId, retentionDays } = service.watching
  if (!topicId) return undefined
  const all = alarmsOf(service)
  const names = new Set(all.map(({ Name }) => Name))
  const found = await listAlarms(cloud, topicId).catch((error: unknown) => {
    // Who asks for none needs no right to see them.
    const isIdle = noticeId === '' && error instanceof CloudFailure
    if (isIdle) return []
    throw error
  })
  const existing = found.filter(({ Name }) => names.has(Name))
  const wanted = noticeId ? all : []
  const foundAs = ({ Name }: Alarm) => existing.find((each) => each.Name === Name)
  const create = wanted.filter((alarm) => !foundAs(alarm))
  const modify = wanted.flatMap((alarm) => {
    const before = foundAs(alarm)
    return before && !holds(before, alarm) ? [{ ...alarm, AlarmId: before.AlarmId }] : []
  })
  const removed = noticeId ? [] : existing
  const days = retentionDays === '' ? undefined : Number(retentionDays)
  const before = days === undefined ? undefined : await periodOf(cloud, topicId)
  const keeps = days === undefined || before === days
  return {
    topicId,
    retentionDays: keeps ? undefined : days,
    create,
    modify,
    delete: removed,
    changes: [
      ...(keeps ? [] : [`keep log lines ${before ?? 'unknown'} → ${days} days`]),
      ...create.map(({ Name }) => `create the alarm ${Name}`),
      ...modify.map(({ Name }) => `update the alarm ${Name}`),
      ...removed.map(({ Name }) => `delete the alarm ${Name}`),
    ],
  }
}

/** Throws `CloudFailure`; what was done stays, and is not done again by the next deploy. */
export async function applyWatchingPlan(cloud: CloudClient, plan: WatchingPlan): Promise<void> {
  if (plan.retentionDays !== undefined)
    await cloud.callOther('cls', 'ModifyTopic', {
      TopicId: plan.topicId,
      Period: plan.retentionDays,
    })
  for (const alarm of plan.create) await cloud.callOther('cls', 'CreateAlarm', alarm)
  for (const alarm of plan.modify) await cloud.callOther('cls', 'ModifyAlarm', alarm)
  for (const { AlarmId } of plan.delete) await cloud.callOther('cls', 'DeleteAlarm', { AlarmId })
}
