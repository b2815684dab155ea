/** What the clients of the lost-writes drill sent, were told, and asked to have removed. */
import { v7 as uuidV7 } from 'uuid'
import type { NewScore } from '../../shared/ports.ts'

/** One submission, however often it was sent. */
export interface Entry {
  /** The first text of the rating: finds its rows whatever keys and ids they have. */
  marker: string
  /** What the client means to store; id and time are the server's. */
  content: NewScore
  /** How many requests go out at the same time. */
  sends: 1 | 2
  /** When each attempt began. */
  sentMs: number[]
  /** Ids the server acknowledged; `conflict` where it said so. */
  answers: string[]
  /** `asked`: being deleted, may be there or not. */
  removal: 'none' | 'asked' | 'done'
}

/** A busy account and a quiet one. */
export const drillAccounts = ['13800138000', '13900139000'] as const

/** Every submission of every client, one list a client. A tenth is sent twice at once. */
export function planEntries(clients: number, submissions: number): Entry[][] {
  const lists = Array.from({ length: clients }, (): Entry[] => [])
  const users = lists.map(() => uuidV7())
  for (let index = 0; index < submissions; index++) {
    const client = index % clients
    lists[client]?.push(planEntry(`drill-${index}`, users[client] ?? '', index))
  }
  return lists
}

/** One submission, its content derived from `index`. */
export function planEntry(marker: string, userId: string, index: number): Entry {
  return {
    marker,
    content: {
      acc_nbr: drillAccounts[index % 4 === 3 ? 1 : 0],
      grade1: (index % 5) + 1,
      grade2: index % 3 === 0 ? null : 5,
      grade3: (index % 2) + 1,
      txt1: marker,
      txt2: `第 ${index} 次，很好 😀`,
      txt3: "' -- \\",
      userId,
      idempotencyKey: `key-${marker}`,
    },
    sends: index % 10 === 0 ? 2 : 1,
    sentMs: [],
    answers: [],
    removal: 'none',
  }
}

/** True when no attempt can be under way any more, so that a removed rating cannot come back by an old request. */
export function isSettled({ sends, sentMs, answers }: Entry): boolean {
  return answers.length === sends && sentMs.length === sends
}
