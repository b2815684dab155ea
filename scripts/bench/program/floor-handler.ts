/** The floor as an event function. */

import { answerTo } from './floor-statements.ts'

export async function main_handler({ path, body }: { path: string; body: string }) {
  const answer = await answerTo(path, JSON.parse(body))
  return { statusCode: 200, headers: {}, body: JSON.stringify(answer) }
}
