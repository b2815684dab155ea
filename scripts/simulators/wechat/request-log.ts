import { createHash } from 'node:crypto'
import type { FaultKind } from './faults.ts'
import type { SimulatedReply } from './routes.ts'
import { parsedObject, type WeChatRequest } from './wechat-request.ts'

const MOST_RECORDS = 10_000
const LONGEST_PATH = 200
/** Parameters that may be shown as they are; every other value is masked. */
const SHOWN = new Set(
  (
    'appid grant_type sig_method openid force_refresh version scene touser template_id page lang ' +
    'miniprogram_state env_version check_path width is_test'
  ).split(' '),
)

/** One request to an endpoint of WeChat, as `GET /sim/requests` lists it. */
export interface RequestRecord {
  method: string
  path: string
  /** ISO 8601, by the simulator's clock. */
  time: string
  /** Query and body members; secrets, tokens, codes and texts as `maskOf` shows them. */
  params: Record<string, string>
  /** The HTTP status the client got; null when it got none. */
  status: number | null
  /** The errcode it got; 0 for a success, null when the reply was neither a JSON object nor a picture. */
  errcode: number | null
  /** The fault that was played, if any. */
  fault: FaultKind | null
}

/** A value made unreadable but still comparable: the first 12 hexadecimal digits of its SHA-256. */
export function maskOf(value: string): string {
  return `sha256:${createHash('sha256').update(value, 'utf8').digest('hex').slice(0, 12)}`
}

export function createRequestLog() {
  let records: RequestRecord[] = []
  return {
    add(record: RequestRecord): void {
      if (records.length >= MOST_RECORDS) records.shift()
      records.push({ ...record, path: record.path.slice(0, LONGEST_PATH) })
    },
    /** Oldest first. */
    all: (): RequestRecord[] => [...records],
    clear(): void {
      records = []
    },
  }
}

/** The request's parameters, fit for the log. */
export function maskedParams({ query, bodyText }: WeChatRequest): Record<string, string> {
  const members = [...Object.entries(bodyMembers(bodyText)), ...query]
  return Object.fromEntries(
    members.map(([name, value]) => {
      if (typeof value === 'object') return [name, 'object']
      return [name, SHOWN.has(name) ? String(value) : maskOf(String(value))]
    }),
  )
}

/** The errcode a reply carries. */
export function errcodeIn({ headers, body }: SimulatedReply): number | null {
  if (headers['content-type'] === 'image/png') return 0
  const members = parsedObject(body.toString('utf8'))
  return members ? Number(members.errcode ?? 0) : null
}

function bodyMembers(bodyText: string): Record<string, unknown> {
  if (bodyText === '') return {}
  return parsedObject(bodyText) ?? { body: bodyText }
}
