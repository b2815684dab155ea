/** What of a call reaches the log service. */
import { randomBytes } from 'node:crypto'
import { CommandProblem } from '../../cli/problem.ts'
import { CloudFailure } from '../cloud/failure.ts'
import { functionNamed, getFunction, lookUntil } from '../waiting.ts'
import { settled } from './probe-functions.ts'
import { eventFunction, webFunction } from './removal.ts'
import type { ProbeScene } from './scene.ts'

const LOOK_BACK_MS = 15 * 60_000

interface Logged {
  has: (text: string) => boolean
  fields: readonly string[]
}

/** The code with which the log service refuses is the finding. */
export async function observeLogService({
  cloud,
  settle,
  leave,
  observe,
}: ProbeScene): Promise<void> {
  await observe(['log-service'], async () => {
    try {
      await cloud.callOther('cls', 'DescribeTopics', { Limit: 1 })
      settle('log-service', 'activated; the code for one that is not was not seen')
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error
      if (error.isMissingRight) leave('log-service', 'no right to cls:DescribeTopics')
      else settle('log-service', `refuses with ${error.code}`)
    }
  })
}

/** Waits for a record with the mark, and then a moment for those that come after it. */
async function recordsOf(scene: ProbeScene, name: string, mark: string): Promise<Logged> {
  const { cloud, pause, pauseMs } = scene
  const topic = (await getFunction(cloud, name))?.ClsTopicId
  if (!topic) throw new CommandProblem(`${name} has no log topic`)
  const search = async () => {
    const page = await cloud.searchLog({
      TopicId: topic,
      From: Date.now() - LOOK_BACK_MS,
      To: Date.now() + 60_000,
      Query: `SCF_FunctionName:"${name}" AND "${mark}"`,
      Limit: 100,
      Context: '',
    })
    return page.Results.length > 0 ? page.Results : undefined
  }
  const found = await lookUntil(cloud, search)
  if (!found) throw new CommandProblem(`the log of ${name} shows nothing of a call that printed`)
  await pause(pauseMs)
  const records = (await search()) ?? found
  return {
    has: (text) => records.some(({ LogJson }) => LogJson.includes(text)),
    fields: [...new Set(records.flatMap(({ LogJson }) => Object.keys(JSON.parse(LogJson))))].sort(),
  }
}

/** A word that stands in a log for one call. */
function newMark(): string {
  return `mark${randomBytes(6).toString('hex')}`
}

async function printedBy(scene: ProbeScene): Promise<{ mark: string; logged: Logged }> {
  const { cloud } = scene
  const mark = newMark()
  const event = { probe: { deed: 'print', mark } }
  await cloud.call('Invoke', {
    ...functionNamed(eventFunction, cloud),
    InvocationType: 'RequestResponse',
    ClientContext: JSON.stringify(event),
  })
  return { mark, logged: await recordsOf(scene, eventFunction, mark) }
}

function presence(isThere: boolean): string {
  return isThere ? 'yes' : 'no'
}

export async function observeLogs(scene: ProbeScene): Promise<void> {
  const { cloud, tell, settle, observe } = scene
  await observe(['log-lines', 'log-fields', 'return-values'], async () => {
    tell('waiting for the log')
    const { mark, logged } = await printedBy(scene)
    settle(
      'log-lines',
      `writeSync: ${presence(logged.has(`sync-${mark}`))}; console.log: ${presence(logged.has(`console-${mark}`))}`,
    )
    settle(
      'log-fields',
      `found by SCF_FunctionName and a text; fields: ${logged.fields.join(', ')}`,
    )
    const before = presence(logged.has(`returned-${mark}`))
    await cloud.call('UpdateFunctionConfiguration', {
      ...functionNamed(eventFunction, cloud),
      IgnoreSysLog: true,
    })
    await settled(cloud, eventFunction, tell)
    const after = await printedBy(scene)
    settle(
      'return-values',
      `usually: ${before}; with IgnoreSysLog: ${presence(after.logged.has(`returned-${after.mark}`))}`,
    )
  })
}

/** The Web function's process, peer and log. */
export async function observeWeb(scene: ProbeScene, url: URL): Promise<void> {
  const { settle, ask, observe, tell } = scene
  const mark = newMark()
  await observe(['web-process', 'web-peer', 'web-return-values'], async () => {
    const marked = new URL(`/?mark=${mark}`, url)
    const forged = { 'x-scf-remote-addr': '192.0.2.1', 'x-forwarded-for': '192.0.2.2' }
    const { echoed } = await ask(marked, forged)
    const { folder, codeFolder, node, headerNames = [] } = echoed
    settle(
      'web-process',
      `starts in ${folder}${folder === codeFolder ? ', where its code is' : `, its code is in ${codeFolder}`}; Node ${node}; headers: ${headerNames.join(', ')}`,
    )
    const places = Object.entries(echoed.addresses).map(
      ([name, place]) => `${name}: ${[place].flat().join(' > ')}`,
    )
    settle('web-peer', [`peer: ${echoed.peer ?? 'none'}`, ...places].join('; '))
    tell('waiting for the log of the Web function')
    const logged = await recordsOf(scene, webFunction, mark)
    settle('web-return-values', presence(logged.has(`returned-${mark}`)))
  })
}
