import type { Handling } from '../../shared/endpoint.ts'
import type { Audit } from '../../shared/ports.ts'

/**
 * Notes in the log and in the audit that an operator reads an account; nobody else's reading costs anything. It comes
 * before the reading: what cannot be kept account of is not read, and the operator is told to come back.
 * @throws {DbError}
 */
export async function noteOperatorRead(
  { caller, facts, needs, security }: Handling<unknown, { audit: Audit }>,
  acc_nbr: string,
): Promise<void> {
  if (!caller.isOperator) return
  security.note('operator-read', { acc_nbr })
  await needs.audit.record('operator-read', { userId: caller.userId, requestId: facts.requestId })
}
