/** Whether the database answers and, step by step, why not; what it is set to is judged by database-settings.ts. */

import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
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
import { type Surroundings, unreachable, whyRefused } from './database-failures.ts'
import { checkMigrations } from './database-migrations.ts'
import { checkColumns, checkSettings } from './database-settings.ts'
import { error, type Finding, ok, skipped, warning } from './report.ts'

/** For all steps together. */
const DEADLINE_MS = 25_000

export interface DatabaseOptions {
  /** For looking the host up and for connecting, each. */
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
      skipped('database.none', {
        zh: '没有检查数据库：先设置 DATABASE_URL',
        en: 'the database was not checked: DATABASE_URL comes first',
      }),
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
  const address = await addressOf(place.host, stepMs)
  if (typeof address !== 'string') {
    return void findings.push(unreachable(address.code, { isPrivate: false, hasVpc }))
  }
  const isPrivate = networkOf(address) === 'private'
  findings.push(...judgePlace(address, { isEncrypted: place.isEncrypted, hasVpc }))
  const failure = await connectionFailure({ host: address, port: place.port }, stepMs)
  if (failure) return void findings.push(unreachable(failure, { isPrivate, hasVpc }))

  const db = await openDb(url)
  try {
    const refusal = await firstAnswer(db, { isPrivate, hasVpc })
    if (refusal) return void findings.push(refusal)
    findings.push(
      ok('database.reachable', {
        zh: '数据库可以连接，用户名和密码正确',
        en: 'the database answers and accepts user and password',
      }),
    )
    findings.push(...(await checkSettings(db, storeDoorOf(url))))
    findings.push(...(await checkColumns(db)))
    findings.push(...(await checkMigrations(db)))
  } finally {
    await db.close()
  }
}

interface Place {
  host: string
  port: number
  isEncrypted: boolean
}

/** @throws {DatabaseUrlError} */
function placeOf(url: string): Place {
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
  return error(
    'database.url',
    { zh: `DATABASE_URL ${inChinese(code, { detail })}`, en: message },
    {
      zh: '写法：mysql://用户:密码@主机:3306/库 或 https://用户:密码@主机，特殊字符要百分号编码',
      en: 'write mysql://user:password@host:3306/database or https://user:password@host, special characters percent-encoded',
    },
  )
}

/** What follows from where the database is, reached or not. */
export function judgePlace(
  address: string,
  { isEncrypted, hasVpc }: { isEncrypted: boolean; hasVpc: boolean },
): Finding[] {
  const isPrivate = networkOf(address) === 'private'
  if (isPrivate && !hasVpc) {
    return [
      error(
        'database.private-network',
        {
          zh: '数据库在私有网络里，但 serverless.yml 没有 vpcConfig：云函数连不到它',
          en: 'the database is in a private network, but serverless.yml has no vpcConfig: functions cannot reach it',
        },
        {
          zh: '设置 VPC_ID 和 SUBNET_ID（数据库所在的私有网络和子网）',
          en: 'set VPC_ID and SUBNET_ID to the network and subnet of the database',
        },
      ),
    ]
  }
  if (isEncrypted || networkOf(address) !== 'public') return []
  return [
    warning(
      'database.unencrypted',
      {
        zh: '到数据库的连接经过公网，但没有加密',
        en: 'the connection to the database crosses the public network unencrypted',
      },
      {
        zh: '在 DATABASE_URL 末尾加 ?ssl=true，或改用私有网络地址',
        en: 'append ?ssl=true to DATABASE_URL, or use an address in a private network',
      },
    ),
  ]
}

async function addressOf(host: string, stepMs: number): Promise<string | { code: string }> {
  const isFound = new AbortController()
  try {
    return await Promise.race([
      lookup(host).then(({ address }) => address),
      pause(stepMs, { code: 'EAI_AGAIN' }, { signal: isFound.signal }),
    ])
  } catch (failure) {
    return { code: (failure as NodeJS.ErrnoException).code ?? 'ENOTFOUND' }
  } finally {
    isFound.abort()
  }
}

/** Node's code for why no connection comes about; undefined when it does. */
function connectionFailure(
  place: { host: string; port: number },
  stepMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(place)
    const finish = (code?: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(code)
    }
    const timer = setTimeout(() => finish('DEADLINE'), stepMs)
    socket.once('connect', () => finish())
    socket.on('error', (failure: NodeJS.ErrnoException) => finish(failure.code ?? 'UNKNOWN'))
  })
}

async function firstAnswer(db: Db, surroundings: Surroundings): Promise<Finding | undefined> {
  try {
    await db.query('select 1 as answer')
    return undefined
  } catch (failure) {
    if (failure instanceof DbError) return whyRefused(failure, surroundings)
    throw failure
  }
}
