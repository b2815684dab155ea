/** Calls a version that users do not get yet, and judges its answers as the doctor judges those of an address. */

import { CommandProblem } from '../cli/problem.ts'
import {
  type DeployedAnswer,
  isOwnRefusal,
  judgeForm,
  nameOf,
  unknownPath,
} from '../service/answers.ts'
import type { DesiredFunction } from '../service/service.ts'
import type { CloudClient } from './cloud/client.ts'
import { functionNamed } from './waiting.ts'

/** For the way there and back, on top of the function's own timeout. */
const spareSeconds = 15

interface ReturnedReply {
  statusCode?: number
  headers?: Record<string, string | string[]>
  body?: string
  isBase64Encoded?: boolean
}

/** What the version answers to `GET path`; its failure is a `CommandProblem`. */
async function ask(
  cloud: CloudClient,
  { wanted, version, path }: { wanted: DesiredFunction; version: string; path: string },
): Promise<DeployedAnswer> {
  const event = { httpMethod: 'GET', path, headers: { accept: '*/*' }, queryString: {} }
  const { Result } = await cloud.call(
    'Invoke',
    {
      ...functionNamed(wanted.name, cloud),
      Qualifier: version,
      InvocationType: 'RequestResponse',
      ClientContext: JSON.stringify(event),
    },
    { timeoutSeconds: wanted.timeoutSeconds + spareSeconds },
  )
  if (Result?.ErrMsg || Result?.InvokeResult)
    throw new CommandProblem(
      `version ${version} fails at GET ${path}: ${messageIn(Result.ErrMsg ?? '')} (request ${Result.FunctionRequestId})`,
    )
  const { statusCode = 0, headers = {}, body = '', isBase64Encoded } = replyIn(Result?.RetMsg ?? '')
  const contentType = Object.entries(headers).find(([name]) => /^content-type$/i.test(name))?.[1]
  return {
    status: statusCode,
    contentType: String(contentType ?? ''),
    text: isBase64Encoded ? Buffer.from(body, 'base64').toString() : body,
  }
}

function replyIn(text: string): ReturnedReply {
  try {
    const reply: unknown = JSON.parse(text)
    return typeof reply === 'object' && reply !== null ? reply : {}
  } catch {
    return {}
  }
}

/** The platform's words; its trace would quote the code. */
function messageIn(failure: string): string {
  const { errorMessage } = replyIn(failure) as { errorMessage?: unknown }
  return typeof errorMessage === 'string' ? errorMessage : 'it gives no answer'
}

/** @throws {CommandProblem} saying what is wrong with the version */
export async function smokeTest(
  cloud: CloudClient,
  wanted: DesiredFunction,
  version: string,
): Promise<void> {
  const form = await ask(cloud, { wanted, version, path: '/form' })
  const verdict = judgeForm(form)
  if (verdict === 'misconfigured')
    throw new CommandProblem(
      `version ${version} runs, but its variables are not acceptable. Its log names them: "serverless logs -f ${wanted.key}".`,
    )
  const unknown = await ask(cloud, { wanted, version, path: unknownPath })
  const bad =
    verdict === 'something-else'
      ? { path: '/form', answer: form }
      : { path: unknownPath, answer: unknown }
  if (verdict !== 'something-else' && isOwnRefusal(unknown)) return
  throw new CommandProblem(
    `version ${version} answers GET ${bad.path} with HTTP ${bad.answer.status}, ${nameOf(bad.answer)}, which is none of its answers. Its log says more: "serverless logs -f ${wanted.key}".`,
  )
}
