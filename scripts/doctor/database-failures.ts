/** Why a database cannot be used, in words. */

import type { DbError } from '../../shared/store/db.ts'
import { networkReason } from './network-words.ts'
import { error, type Finding, type Words, warning } from './report.ts'

/** Where the database is, seen from here and from the functions. */
export interface Surroundings {
  isPrivate: boolean
  hasVpc: boolean
}

/** Nothing answers there. A database inside a VPC cannot be reached from elsewhere, and that is in order. */
export function unreachable(code: string, { isPrivate, hasVpc }: Surroundings): Finding {
  const reason = networkReason(code)
  const words = {
    zh: `连不上 DATABASE_URL 的主机：${reason.zh}`,
    en: `the host of DATABASE_URL cannot be reached: ${reason.en}`,
  }
  if (isPrivate && hasVpc) {
    return warning('database.unreachable', words, {
      zh: '它在私有网络里，从这里连不上是正常的：请在同一私有网络的机器上运行 npm run doctor，并用 --url 检查云函数',
      en: 'it is in a private network, so this is normal from here: run npm run doctor on a machine inside, and check the functions with --url',
    })
  }
  return error('database.unreachable', words, reason.todo)
}

/** https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html */
const refusals: Readonly<Record<number, Words & { id: string; todo: Words }>> = {
  1045: {
    id: 'password',
    zh: '数据库拒绝了用户名或密码',
    en: 'the database refuses the user name or the password',
    todo: {
      zh: '核对 DATABASE_URL 里的用户名和密码；mysql:// 的密码里有 @ : / ? # % 时要百分号编码',
      en: 'compare user and password in DATABASE_URL; @ : / ? # % in a mysql:// password are percent-encoded',
    },
  },
  1044: {
    id: 'database-denied',
    zh: '该用户无权使用 DATABASE_URL 里的库',
    en: 'the user may not use the database named in DATABASE_URL',
    todo: {
      zh: '给该用户授予这个库的 SELECT、INSERT、UPDATE、DELETE 权限（执行迁移还需要 CREATE、ALTER）',
      en: 'grant the user SELECT, INSERT, UPDATE, DELETE on it (and CREATE, ALTER for migrations)',
    },
  },
  1049: {
    id: 'unknown-database',
    zh: 'DATABASE_URL 里的库不存在',
    en: 'there is no database of the name in DATABASE_URL',
    todo: {
      zh: '核对库名，或先建库：create database 库名 character set utf8mb4 collate utf8mb4_bin，再 npm run migrate',
      en: 'check the name, or create it: create database NAME character set utf8mb4 collate utf8mb4_bin, then npm run migrate',
    },
  },
  1130: {
    id: 'host-denied',
    zh: '数据库不允许从本机的 IP 连接',
    en: 'the database does not admit this computer’s address',
    todo: {
      zh: '在数据库的白名单或授权里加入调用方的地址（云函数的也要加入）',
      en: 'admit the caller’s address in the database’s allow-list or grants (the functions’ as well)',
    },
  },
}
const tooMany = {
  id: 'too-many-connections',
  zh: '数据库的连接数已满',
  en: 'the database has no connection left',
  todo: {
    zh: '提高 max_connections，或降低云函数的并发上限',
    en: 'raise max_connections, or lower the functions’ concurrency',
  },
}

/** What an answer of the database other than a result means. */
export function whyRefused(
  failure: DbError,
  surroundings: Surroundings = { isPrivate: false, hasVpc: false },
): Finding {
  const { failure: kind, errno } = failure
  if (kind === 'timeout') return unreachable('DEADLINE', surroundings)
  if (kind === 'unreachable') {
    return error(
      'database.handshake',
      {
        zh: '主机接受了连接，但握手失败：TLS 不匹配，或连接被中断',
        en: 'the host accepts a connection and then fails: TLS does not match, or it breaks off',
      },
      {
        zh: '核对 DATABASE_URL：MySQL 用 mysql://，PlanetScale 用 https://；端口、ssl、ssl-mode、ssl-ca 要与数据库一致',
        en: 'look at DATABASE_URL: mysql:// is for MySQL, https:// for PlanetScale; port, ssl, ssl-mode and ssl-ca are the database’s',
      },
    )
  }
  if (kind === 'bad-answer') {
    return error(
      'database.protocol',
      {
        zh: '该端口的服务不是所要的数据库（协议不符）',
        en: 'what answers there is not such a database: it speaks another protocol',
      },
      {
        zh: 'MySQL 用 mysql://，PlanetScale 用 https://；核对主机和端口',
        en: 'mysql:// is for MySQL, https:// for PlanetScale; check host and port',
      },
    )
  }
  const isFull = errno === 1040 || errno === 1203 || errno === 1226
  const known = isFull ? tooMany : refusals[errno === 1698 ? 1045 : (errno ?? 0)]
  if (known) return error(`database.${known.id}`, { zh: known.zh, en: known.en }, known.todo)
  const detail = errno === undefined ? failure.message : `errno ${errno}`
  return error(
    'database.refused',
    { zh: `数据库拒绝了查询（${detail}）`, en: `the database refuses queries (${detail})` },
    {
      zh: '在 MySQL 的错误码表里查这个编号；代理可能不支持所需的会话设置',
      en: 'look the number up in MySQL’s error reference; a proxy may not support the session’s settings',
    },
  )
}
