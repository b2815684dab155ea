/** The requests that the benchmarks make of a function, and the functions they are made of. */

import type { StoreDoor } from '../../shared/store/doors.ts'
import { type BackEnd, jsonEvent, ratingOf, readAccount } from './back-end.ts'

export interface Invocation {
  functionName: string
  /** Of the expected answer. */
  status: number
  /** Made anew for every invocation, since a login code is good for one. */
  event: (backEnd: BackEnd) => Record<string, unknown>
}

const rating = ratingOf('13900139000')

export const submit: Invocation = {
  functionName: 'submit-score',
  status: 201,
  event: ({ token }) => jsonEvent('POST /score', rating, token),
}

export const query: Invocation = {
  functionName: 'query-scores',
  status: 200,
  event: ({ token }) => jsonEvent('POST /query', { acc_nbr: readAccount }, token),
}

export const logIn: Invocation = {
  functionName: 'login',
  status: 200,
  event: ({ issueCode }) => jsonEvent('POST /login', { code: issueCode() }),
}

export const forgery: Invocation = {
  functionName: 'submit-score',
  status: 401,
  event: ({ token }) => jsonEvent('POST /score', rating, `${token.slice(0, -8)}AAAAAAAA`),
}

export const nonsense: Invocation = {
  functionName: 'submit-score',
  status: 400,
  event: ({ token }) => jsonEvent('POST /score', { ...rating, grade1: 9 }, token),
}

/** In the words of the tables. */
export const storeDoors: readonly { storeDoor: StoreDoor; by: string }[] = [
  { storeDoor: 'mysql', by: 'MySQL' },
  { storeDoor: 'planetscale', by: 'PlanetScale over TLS' },
]
