/** Ways to back up a database and to put the backup back, as an operator has them. */

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { findProgram } from '../../scripts/simulators/mysql-server/server-program.ts'

export interface Backup {
  /** Puts the tables back as they were, those made since included. */
  restore(): Promise<void>
}

export interface BackupWay {
  name: string
  isAvailable: boolean
  take(url: string): Promise<Backup>
}

export function backupWays(): BackupWay[] {
  // MariaDB's talks to MySQL as well.
  const program = findProgram('mysqldump') ?? findProgram('mariadb-dump')
  return [
    {
      name: 'mysqldump --single-transaction',
      isAvailable: program !== undefined,
      take: (url) => dump(program ?? '', url),
    },
    { name: 'one snapshot of all tables', isAvailable: true, take: snapshot },
  ]
}

async function dump(program: string, url: string): Promise<Backup> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-backup-'))
  const file = path.join(folder, 'backup.sql')
  const { hostname, port, username, password, pathname } = new URL(url)
  await promisify(execFile)(
    program,
    [
      '--single-transaction',
      '--hex-blob',
      '--no-tablespaces',
      `--host=${hostname}`,
      `--port=${port}`,
      `--user=${username}`,
      `--result-file=${file}`,
      pathname.slice(1),
    ],
    { env: { ...process.env, MYSQL_PWD: password } },
  )
  return {
    async restore() {
      const connection = await createConnection({ uri: url, multipleStatements: true })
      try {
        await connection.query(await readFile(file, 'utf8'))
      } finally {
        await connection.end()
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

async function snapshot(url: string): Promise<Backup> {
  const connection = await createConnection({ uri: url })
  const tables: { name: string; definition: string; rows: unknown[][] }[] = []
  try {
    const [shown] = await connection.query<RowDataPacket[]>('show tables')
    const names = shown.map((row) => String(Object.values(row)[0]))
    await connection.query('set transaction isolation level repeatable read')
    await connection.query('start transaction with consistent snapshot')
    for (const name of names) {
      const [created] = await connection.query<RowDataPacket[]>(`show create table ${name}`)
      const [rows] = await connection.query<RowDataPacket[][]>({
        sql: `select * from ${name}`,
        rowsAsArray: true,
      })
      tables.push({ name, definition: String(created[0]?.['Create Table']), rows })
    }
  } finally {
    await connection.end()
  }
  return {
    async restore() {
      const restoring = await createConnection({ uri: url })
      try {
        for (const { name, definition, rows } of tables) {
          await restoring.query(`drop table if exists ${name}`)
          await restoring.query(definition)
          if (rows.length > 0) await restoring.query(`insert into ${name} values ?`, [rows])
        }
      } finally {
        await restoring.end()
      }
    },
  }
}
