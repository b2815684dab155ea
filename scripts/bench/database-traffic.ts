/** What a MySQL-compatible server was asked so far, whoever asked. */

import { createConnection, type RowDataPacket } from 'mysql2/promise'

export interface DatabaseTraffic {
  /** Statements and preparations. */
  roundTrips: number
  /** In both directions. */
  bytes: number
}

const COUNTERS = {
  roundTrips: ['Questions', 'Com_stmt_prepare'],
  bytes: ['Bytes_received', 'Bytes_sent'],
} as const

export async function databaseTraffic(url: string): Promise<DatabaseTraffic> {
  const connection = await createConnection({ uri: url })
  try {
    const names = Object.values(COUNTERS).flat()
    const [rows] = await connection.query<RowDataPacket[]>(
      `show global status where Variable_name in (${names.map(() => '?')})`,
      names,
    )
    const total = (of: readonly string[]): number =>
      rows
        .filter((row) => of.includes(row.Variable_name))
        .reduce((sum, row) => sum + Number(row.Value), 0)
    return { roundTrips: total(COUNTERS.roundTrips), bytes: total(COUNTERS.bytes) }
  } finally {
    await connection.end()
  }
}
