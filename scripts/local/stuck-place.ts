/** Where a process is that does not answer, asked of it as a debugger would. */

import { readFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { WebSocket } from 'ws'
import { projectFolder } from '../build/bundle.ts'

const PATIENCE_MS = 1500

interface CallFrame {
  location: { scriptId: string; lineNumber: number; columnNumber: number }
}

interface InspectorMessage {
  id?: number
  method?: string
  params?: { callFrames?: CallFrame[]; scriptId?: string; url?: string }
  result?: { result?: { value?: unknown } }
}

/**
 * Words for where it is: `it is busy at functions/login/login.ts:12:3`, or what it waits for. Undefined when it cannot be
 * told. `url` is what the process prints once its inspector listens; it never does on a system without SIGUSR1.
 */
export async function whereItIsStuck(stuck: {
  pid: number | undefined
  url: Promise<string>
  /** The bundle it runs, with its source map beside it. */
  file: string
}): Promise<string | undefined> {
  if (stuck.pid === undefined || process.platform === 'win32') return undefined
  try {
    process.kill(stuck.pid, 'SIGUSR1')
    const url = await within(PATIENCE_MS, stuck.url)
    return url === undefined ? undefined : await ask(url, stuck.file)
  } catch {
    // It ended meanwhile.
    return undefined
  }
}

async function ask(url: string, file: string): Promise<string | undefined> {
  const socket = new WebSocket(url)
  try {
    const opened = new Promise((resolve, reject) => {
      socket.once('open', () => resolve(true))
      socket.once('error', reject)
    })
    if (!(await within(PATIENCE_MS, opened))) return undefined
    const answerTo = (matches: (message: InspectorMessage) => boolean) =>
      new Promise<InspectorMessage>((resolve) => {
        socket.on('message', (data) => {
          const message = JSON.parse(String(data)) as InspectorMessage
          if (matches(message)) resolve(message)
        })
      })
    const scripts = new Map<string, string>()
    void answerTo(({ params }) => {
      if (params?.scriptId && params.url) scripts.set(params.scriptId, params.url)
      return false
    })
    const paused = answerTo(({ method }) => method === 'Debugger.paused')
    const evaluated = answerTo(({ id }) => id === 4)
    const send = (id: number, method: string, params: object = {}): void =>
      socket.send(JSON.stringify({ id, method, params }))
    send(1, 'Debugger.enable')
    send(2, 'Debugger.pause')
    const stopped = await within(PATIENCE_MS, paused)
    if (!stopped) return undefined
    const { params } = stopped
    const place = await placeOf(params?.callFrames ?? [], { file, scripts })
    if (place) return `it is busy at ${place}`
    // It runs no code of the project's: for what does it wait?
    send(3, 'Debugger.disable')
    const expression = 'process.getActiveResourcesInfo()'
    send(4, 'Runtime.evaluate', { expression, returnByValue: true })
    const answer = await within(PATIENCE_MS, evaluated)
    return answer && waitingWords(answer.result?.result?.value)
  } finally {
    socket.terminate()
  }
}

/** What Node calls them; pipes to this process and its own channel are always there. */
const resourceWords: Readonly<Record<string, string>> = {
  Timeout: 'a timer',
  TCPSocketWrap: 'a connection',
  TLSWrap: 'a connection',
  TCPConnectWrap: 'a connection to come about',
  GetAddrInfoReqWrap: 'the address of a host',
  FSReqPromise: 'a file',
  FSReqCallback: 'a file',
}

function waitingWords(resources: unknown): string {
  const known = (Array.isArray(resources) ? resources : []).flatMap(
    (each) => resourceWords[String(each)] ?? [],
  )
  return known.length === 0
    ? 'it waits for a promise that nothing will settle'
    : `it waits for ${[...new Set(known)].join(' or ')}`
}

/** The innermost frame that is the project's own, in its TypeScript. */
async function placeOf(
  frames: CallFrame[],
  { file, scripts }: { file: string; scripts: ReadonlyMap<string, string> },
): Promise<string | undefined> {
  const map = new SourceMap(JSON.parse(await readFile(`${file}.map`, 'utf8')))
  const url = pathToFileURL(file).href
  for (const { location } of frames) {
    if (scripts.get(location.scriptId) !== url) continue
    const entry = map.findEntry(location.lineNumber, location.columnNumber)
    if (!('originalSource' in entry)) continue
    const source = path.resolve(path.dirname(file), entry.originalSource)
    if (source.includes('node_modules')) continue
    return `${path.relative(projectFolder, source)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  }
  return undefined
}

function within<Value>(limitMs: number, promise: Promise<Value>): Promise<Value | undefined> {
  return Promise.race([promise, setTimeout(limitMs, undefined, { ref: false })])
}
