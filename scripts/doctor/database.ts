/** Whether the database answers and, step by step, why not; what it is set to is judged by database-settings.ts. */

import { connect, isIP } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { networkOf } from '../../shared/network-addresses.ts'
import { DatabaseUrlError } from '../../shared/store/database-url-error.ts'
import { type Db, DbError } from '../../shared/store/db.ts'
import { storeDoorOf } from '../../shared/store/doors.ts'
import { parseMySqlUrl } from '../../shared/store/mysql-url.ts'
import { checkPlanetScaleUrl } from '../../shared/store/planetscale-url.ts'
import { DATABASE_BUDGET_MS, openDb } from '../../shared/wiring/database.ts'
import type { DesiredService } from '../service/service.ts'
import { inChinese } from './chinese.ts'
import { type NetworkPlace, unreachable, whyRefused } from './database-failures.ts'
import { checkMigrations } from './database-migrations.ts'
import { checkColumns, checkSettings } from './database-settings.ts'
import { checkUser } from './database-user.ts'
import { error, type Finding, ok, skipped, warning } from './report.ts'

/** For all steps together. */
const DEADLINE_MS = 25_000

export interface DatabaseOptions {
  /** For looking the host up and connecting. */
  stepMs?: number
  deadlineMs?: number
}

/** Findings `database.<what>`. Reads only. */
export async function checkDatabase(
  service: DesiredService,
  { stepMs = DATABASE_BUDGET_MS, deadlineMs = DEADLINE_MS }: DatabaseOptions = {},
): Promise<Finding[]> {
  const owner = service.functions.find(({ variables }) => variables.DATABASE_URL)
  const url = owner?.variables.DATABASE_URL
  if (!owner || !url) {
    return [
      skipped('database.none')`
        没有检查数据库：先设置 DATABASE_URL
        the database was not checked: DATABASE_URL comes first`,
    ]
  }
  const isOver = new AbortController()
  const findings: Finding[] = []
  await Promise.race([
    examine({ url, hasVpc: owner.vpcId !== '', stepMs }, findings).catch((failure: unknown) => {
      if (!(failure instanceof DatabaseUrlError)) throw failure
      findings.push(unreadable(failure))
    }),
    pause(deadlineMs, undefined, { signal: isOver.signal }).then(
      () => void findings.push(unreachable('DEADLINE', { isPrivate: false, hasVpc: false })),
    ),
  ]).finally(() => isOver.abort())
  return [...findings]
}

interface Examination {
  url: string
  hasVpc: boolean
  stepMs: number
}

/** Adds to `findings` as it goes, so that a deadline keeps what is known. @throws {DatabaseUrlError} */
async function examine({ url, hasVpc, stepMs }: Examination, findings: Finding[]): Promise<void> {
  const place = placeOf(url)
  const { address, failure } = await tryConnecting(place, stepMs)
  const isPrivate = address !== undefined && networkOf(address) === 'private'
  if (address) findings.push(...judgePlace(address, { isEncrypted: place.isEncrypted, hasVpc }))
  if (failure) return void findings.push(unreachable(failure, { isPrivate, hasVpc }))

  const db = await openDb(url)
  try {
    const refusal = await firstAnswer(db, { isPrivate, hasVpc })
    if (refusal) return void findings.push(refusal)
    findings.push(
      ok('database.reachable')`
        数据库可以连接，用户名和密码正确
        the database answers and accepts user and password`,
    )
    // PlanetScale's password is made with a role, and tells of no grants.
    if (storeDoorOf(url) === 'mysql') findings.push(...(await checkUser(db)))
    findings.push(...(await checkSettings(db, storeDoorOf(url))))
    findings.push(...(await checkColumns(db)))
    findings.push(...(await checkMigrations(db)))
  } finally {
    await db.close()
  }
}

interface DatabaseAddress {
  host: string
  port: number
  isEncrypted: boolean
}

/** @throws {DatabaseUrlError} */
function placeOf(url: string): DatabaseAddress {
  if (storeDoorOf(url) === 'mysql') {
    const { host, port, tls } = parseMySqlUrl(url)
    return { host, port, isEncrypted: tls !== undefined }
  }
  const isEncrypted = checkPlanetScaleUrl(url)
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, port: Number(port || (isEncrypted ? 443 : 80)), isEncrypted }
}

function unreadable({ code, detail, message }: DatabaseUrlError): Finding {
  return error('database.url')`
    DATABASE_URL ${inChinese(code, { detail })}
    ${message}
    写法：mysql://用户:密码@主机:3306/库 或 https://用户:密码@主机，特殊字符要百分号编码
    write mysql://user:password@host:3306/database or https://user:password@host, special characters percent-encoded`
}

/** What follows from where the database is, reached or not. */
export function judgePlace(
  address: string,
  { isEncrypted, hasVpc }: { isEncrypted: boolean; hasVpc: boolean },
): Finding[] {
  const isPrivate = networkOf(address) === 'private'
  if (isPrivate && !hasVpc) {
    return [
      error('database.private-network')`
        数据库在私有网络里，但 serverless.yml 没有 vpcConfig：云函数连不到它
        the database is in a private network, but serverless.yml has no vpcConfig: functions cannot reach it
        设置 VPC_ID 和 SUBNET_ID（数据库所在的私有网络和子网）
        set VPC_ID and SUBNET_ID to the network and subnet of the database`,
    ]
  }
  if (isEncrypted || networkOf(address) !== 'public') return []
  return [
    warning('database.unencrypted')`
      到数据库的连接经过公网，但没有加密
      the connection to the database crosses the public network unencrypted
      在 DATABASE_URL 末尾加 ?ssl=true，或改用私有网络地址
      append ?ssl=true to DATABASE_URL, or use an address in a private network`,
  ]
}

/** The address, when the name has one, and Node's code for why no connection comes about, when none does. */
function tryConnecting(
  { host, port }: DatabaseAddress,
  stepMs: number,
): Promise<{ address: string | undefined; failure: string | undefined }> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    let address = isIP(host) ? host : undefined
    const finish = (failure?: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ address, failure })
    }
    const timer = setTimeout(() => finish(address ? 'DEADLINE' : 'EAI_AGAIN'), stepMs)
    socket.on('lookup', (_failure, found: string) => {
      address ??= found
    })
    socket.once('connect', () => finish())
    socket.on('error', (failure: NodeJS.ErrnoException) => finish(failure.code ?? 'UNKNOWN'))
  })
}

async function firstAnswer(db: Db, place: NetworkPlace): Promise<Finding | undefined> {
  try {
    await db.query('select 1 as answer')
    return undefined
  } catch (failure) {
    if (failure instanceof DbError) return whyRefused(failure, place)
    throw failure
  }
}
