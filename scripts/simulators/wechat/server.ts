import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { SimulatedClock } from './clock.ts'
import { orderCode, orderPhoneCode, orderUser, orderUserData } from './control.ts'
import { answerControl } from './control-routes.ts'
import { createDoor, type Door } from './door.ts'
import type { FaultSpec } from './faults.ts'
import { playFault, sendReply } from './play-fault.ts'
import { errcodeIn, maskedParams, type RequestRecord } from './request-log.ts'
import { answerAsWeChat, type HttpReply, textReply } from './routes.ts'
import { createSimulator, type Simulator } from './simulator.ts'
import type { WeChatRequest } from './wechat-request.ts'

/** Room for the largest fault body; WeChat's own requests are far smaller. */
const LARGEST_BODY_BYTES = 1024 * 1024
/** The user whose codes are adopted: one developer at the DevTools. */
const ADOPTING_OPENID = 'oOfflineWeChatDeveloper00000'

export interface OfflineWeChatOptions {
  /** 0 or absent: any free port. */
  port?: number
  appid: string
  secret: string
  /** The clock to run with, in milliseconds since 1970; the machine's own when absent. */
  now?: () => number
  /** Take login codes made elsewhere (by the DevTools) as codes of one fixed user; refused with 40029 otherwise. */
  adoptUnknownCodes?: boolean
}

/** An order of the control surface, given to the running simulator. */
type Bound<Order> = Order extends (world: never, order: infer Input) => infer Output
  ? (order: Input) => Output
  : never

/** A running offline WeChat. What `/sim` does over HTTP can be done here directly. */
export interface OfflineWeChat {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  url: string
  port: number
  clock: SimulatedClock
  issueCode: Bound<typeof orderCode>
  userData: Bound<typeof orderUserData>
  issuePhoneCode: Bound<typeof orderPhoneCode>
  setUser: Bound<typeof orderUser>
  addFault(fault: FaultSpec): void
  /** Forgets waiting faults and listens again at once when a `refuse` is under way. */
  clearFaults(): Promise<void>
  requests(): RequestRecord[]
  clearRequests(): void
  paidPhoneCalls(): number
  revokeTokens(): void
  reset(): Promise<void>
  /** Ends open connections, hanging ones too, and stops listening. */
  close(): Promise<void>
}

/**
 * Starts a simulator of api.weixin.qq.com on the loopback interface; state lives in memory. Rejects with
 * a sentence when the port is taken or an option makes no sense.
 */
export async function startOfflineWeChat(options: OfflineWeChatOptions): Promise<OfflineWeChat> {
  const { appid, secret, port: wantedPort = 0, now, adoptUnknownCodes = false } = options
  if (appid === '' || secret === '')
    throw new Error('The offline WeChat needs an appid and a secret.')

  const server = createServer({ keepAliveTimeout: 5000 })
  const door = createDoor(server)
  const simulator = createSimulator(
    { appid, secret },
    {
      ...(now ? { now } : {}),
      ...(adoptUnknownCodes ? { adoptCodesFor: ADOPTING_OPENID } : {}),
      refuseFor: (durationMs) => door.refuseFor(durationMs),
    },
  )
  server.on('request', (request, response) => {
    serve(simulator, door, request, response).catch((error: unknown) => {
      console.error('offline WeChat:', error)
      response.destroy()
    })
  })
  await door.open(wantedPort)

  const { clock, faults, log } = simulator
  return {
    url: door.url(),
    port: door.port(),
    clock,
    issueCode: (order) => orderCode(simulator.world(), order),
    userData: (order) => orderUserData(simulator.world(), order),
    issuePhoneCode: (order) => orderPhoneCode(simulator.world(), order),
    setUser: (order) => orderUser(simulator.world(), order),
    addFault: (fault) => simulator.addFault(fault),
    clearFaults: () => {
      faults.clear()
      return door.reopen()
    },
    requests: () => log.all(),
    clearRequests: () => log.clear(),
    paidPhoneCalls: () => simulator.world().paidPhoneCalls,
    revokeTokens: () => simulator.world().tokens.revokeAll(),
    reset: () => {
      simulator.reset()
      return door.reopen()
    },
    close: () => door.close(),
  }
}

async function serve(
  simulator: Simulator,
  door: Door,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => response.destroy())
  const bodyText = await readBody(incoming)
  if (response.destroyed) return
  const [path = '/', ...rest] = (incoming.url ?? '/').split('?')
  if (bodyText === undefined) {
    sendReply(response, textReply(413, 'text/html', '<html>413</html>'))
    return
  }
  const query = new URLSearchParams(rest.join('?'))
  const request = { method: incoming.method ?? 'GET', path, query, bodyText }
  if (path === '/sim' || path.startsWith('/sim/')) {
    const reply = answerControl(simulator, request, incoming.headers, door.url())
    // A connection kept alive would be a way around a door that was just told to shut.
    if (!door.isOpen()) response.setHeader('connection', 'close')
    sendReply(response, reply)
  } else {
    serveWeChat(simulator, request, response)
  }
}

function serveWeChat(simulator: Simulator, request: WeChatRequest, response: ServerResponse): void {
  const fault = simulator.faults.take(request.path)
  const work = () => answerAsWeChat(simulator.world(), request)
  let reply: HttpReply | undefined
  if (fault) {
    reply = playFault(fault, response, work)
  } else {
    reply = work()
    sendReply(response, reply)
  }
  simulator.log.add({
    method: request.method,
    path: request.path,
    time: new Date(simulator.clock.now()).toISOString(),
    params: maskedParams(request),
    status: reply?.status ?? null,
    errcode: reply ? errcodeIn(reply.body) : null,
    fault: fault?.kind ?? null,
  })
}

/** The whole body as UTF-8 text, or undefined when it is too large. */
async function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes <= LARGEST_BODY_BYTES) chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return bytes > LARGEST_BODY_BYTES ? undefined : Buffer.concat(chunks).toString('utf8')
}
