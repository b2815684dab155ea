/** Why a database cannot be used, in words. */

import type { DbError } from '../../shared/store/db.ts'
import { networkReason } from './network-words.ts'
import { error, type Finding, type Reason, reason, warning } from './report.ts'

/** Where the database is, seen from here and from the functions. */
export interface NetworkPlace {
  isPrivate: boolean
  hasVpc: boolean
}

/** Nothing answers there. A database inside a VPC cannot be reached from elsewhere, and that is in order. */
export function unreachable(code: string, { isPrivate, hasVpc }: NetworkPlace): Finding {
  const { zh, en, todo } = networkReason(code)
  const isInOrder = isPrivate && hasVpc
  const { zh: todoZh, en: todoEn } = isInOrder ? lookFromInside : todo
  return (isInOrder ? warning : error)('database.unreachable')`
    连不上 DATABASE_URL 的主机：${zh}
    the host of DATABASE_URL cannot be reached: ${en}
    ${todoZh}
    ${todoEn}`
}

const lookFromInside = {
  zh: '它在私有网络里，从这里连不上是正常的：请在同一私有网络的机器上运行 npm run doctor，并用 --url 检查云函数',
  en: 'it is in a private network, so this is normal from here: run npm run doctor on a machine inside, and check the functions with --url',
}

const password = reason`
  数据库拒绝了用户名或密码
  the database refuses the user name or the password
  核对 DATABASE_URL 里的用户名和密码；mysql:// 的密码里有 @ : / ? # % 时要百分号编码
  compare user and password in DATABASE_URL; @ : / ? # % in a mysql:// password are percent-encoded`
const tooMany = reason`
  数据库的连接数已满
  the database has no connection left
  提高 max_connections，或降低云函数的并发上限
  raise max_connections, or lower the functions’ concurrency`

/** https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html */
const refusals: Readonly<Record<number, [id: string, reason: Reason]>> = {
  1040: ['too-many-connections', tooMany],
  1203: ['too-many-connections', tooMany],
  1226: ['too-many-connections', tooMany],
  1045: ['password', password],
  1698: ['password', password],
  1044: [
    'database-denied',
    reason`
      该用户无权使用 DATABASE_URL 里的库
      the user may not use the database named in DATABASE_URL
      给该用户授予这个库的 SELECT、INSERT、UPDATE、DELETE 权限（执行迁移还需要 CREATE、ALTER）
      grant the user SELECT, INSERT, UPDATE, DELETE on it (and CREATE, ALTER for migrations)`,
  ],
  1049: [
    'unknown-database',
    reason`
      DATABASE_URL 里的库不存在
      there is no database of the name in DATABASE_URL
      核对库名，或先建库：create database 库名 character set utf8mb4 collate utf8mb4_bin，再 npm run migrate
      check the name, or create it: create database NAME character set utf8mb4 collate utf8mb4_bin, then npm run migrate`,
  ],
  1130: [
    'host-denied',
    reason`
      数据库不允许从本机的 IP 连接
      the database does not admit this computer’s address
      在数据库的白名单或授权里加入调用方的地址（云函数的也要加入）
      admit the caller’s address in the database’s allow-list or grants (the functions’ as well)`,
  ],
}

/** What an answer of the database other than a result means. */
export function whyRefused(
  { failure: kind, errno, message }: DbError,
  place: NetworkPlace = { isPrivate: false, hasVpc: false },
): Finding {
  if (kind === 'timeout') return unreachable('DEADLINE', place)
  if (kind === 'unreachable') {
    return error('database.handshake')`
      主机接受了连接，但握手失败：TLS 不匹配，或连接被中断
      the host accepts a connection and then fails: TLS does not match, or it breaks off
      核对 DATABASE_URL：MySQL 用 mysql://，PlanetScale 用 https://；端口、ssl、ssl-mode、ssl-ca 要与数据库一致
      look at DATABASE_URL: mysql:// is for MySQL, https:// for PlanetScale; port, ssl, ssl-mode and ssl-ca are the database’s`
  }
  if (kind === 'bad-answer') {
    return error('database.protocol')`
      该端口的服务不是所要的数据库（协议不符）
      what answers there is not such a database: it speaks another protocol
      MySQL 用 mysql://，PlanetScale 用 https://；核对主机和端口
      mysql:// is for MySQL, https:// for PlanetScale; check host and port`
  }
  const [id, known] = refusals[errno ?? 0] ?? []
  if (known) return { id: `database.${id}`, severity: 'error', ...known }
  const detail = errno === undefined ? message : `errno ${errno}`
  return error('database.refused')`
    数据库拒绝了查询（${detail}）
    the database refuses queries (${detail})
    在 MySQL 的错误码表里查这个编号；代理可能不支持所需的会话设置
    look the number up in MySQL’s error reference; a proxy may not support the session’s settings`
}
