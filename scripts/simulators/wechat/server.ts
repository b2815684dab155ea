import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { readWholeBody } from '../request-body.ts'
import type { MiniProgram } from './apps.ts'
import {
  type CodeOrder,
  orderPhoneCode,
  orderUser,
  orderUserData,
  type PhoneOrder,
  type UserDataOrder,
  type UserOrder,
} from './control.ts'
import { orderRevocation } from './control-apps.ts'
import { answerControl } from './control-routes.ts'
import type { FaultSpec } from './faults.ts'
import { type Listener, startListener } from './listener.ts'
import { issueLoginCode } from './login.ts'
import { answerPage, pageFileFor } from './page.ts'
import { playFault, sendReply } from './play-fault.ts'
import { errcodeIn, maskedParams } from './request-log.ts'
import { answerAsWeChat, type SimulatedReply, textReply } from './routes.ts'
import { createSimulator, type Simulator } from './simulator.ts'
import type { WeChatRequest } from './wechat-request.ts'

/** Room for the largest fault body; WeChat's own requests are far smaller. */
const LARGEST_BODY_BYTES = 1024 * 1024
/** The user whose codes are adopted: one developer at the DevTools. */
const ADOPTING_OPENID = 'oOfflineWeChatDeveloper00000'

export interface OfflineWeChatOptions {
  /** 0 or absent: any free port. */
  port?: number
  /** What sets that, for a person whose port is taken. */
  portSetting?: string
  appid: string
  secret: string
  /** More mini programs beside that one. */
  otherApps?: readonly MiniProgram[]
  /** Makes codes, openids, keys and tokens the same, in the same order, each time; random when absent. */
  seed?: string
  /** The clock to run with, in milliseconds since 1970; the machine's own when absent. */
  now?: () => number
  /** Take login codes made elsewhere (by the DevTools) as codes of one fixed user; refused with 40029 otherwise. */
  adoptUnknownCodes?: boolean
  /** Told of each code that was taken so, and whose it is now. */
  onAdopted?: (openid: string) => void
}

/** A running offline WeChat. What `/sim` does over HTTP can be done here directly. */
export type OfflineWeChat = Awaited<ReturnType<typeof startOfflineWeChat>>

/**
 * Starts a simulator of api.weixin.qq.com on the loopback interface; state lives in memory. Rejects with
 * a sentence when the port is taken or an option makes no sense.
 */
export async function startOfflineWeChat(options: OfflineWeChatOptions) {
  const { appid, secret, otherApps, seed, now, adoptUnknownCodes, onAdopted = () => {} } = options
  if (appid === '' || secret === '')
    throw new Error('The offline WeChat needs an appid and a secret.')

  const server = createServer({ keepAliveTimeout: 5000 })
  const listener = await startListener(server, {
    port: options.port ?? 0,
    ...(options.portSetting ? { setting: options.portSetting } : {}),
  })
  const simulator = createSimulator({
    app: { appid, secret },
    otherApps,
    seed,
    now,
    adoption: adoptUnknownCodes ? { openid: ADOPTING_OPENID, onAdopted } : undefined,
    refuseFor: (durationMs) => listener.refuseFor(durationMs),
  })
  server.on('request', (request, response) => {
    serve(simulator, listener, request, response).catch((error: unknown) => {
      console.error('offline WeChat:', error)
      response.destroy()
    })
  })

  const { clock, faults, log, world } = simulator
  return {
    /** `http://127.0.0.1:PORT`, without a slash at the end. */
    url: listener.url,
    port: listener.port,
    clock,
    issueCode: (order: CodeOrder) => issueLoginCode(world, order),
    userData: (order: UserDataOrder) => orderUserData(world, order),
    issuePhoneCode: (order: PhoneOrder) => orderPhoneCode(world, order),
    setUser: (order: UserOrder) => orderUser(world, order),
    addFault: (fault: FaultSpec): void => simulator.addFault(fault),
    /** Forgets waiting faults and listens again at once when a `refuse` is under way. */
    clearFaults(): Promise<void> {
      faults.clear()
      return listener.reopen()
    },
    requests: () => log.all(),
    clearRequests: () => log.clear(),
    paidPhoneCalls: () => world.paidPhoneCalls,
    revokeTokens: () => orderRevocation(world, {}),
    reset(): Promise<void> {
      simulator.reset()
      return listener.reopen()
    },
    /** Ends open connections, hanging ones too, and stops listening. */
    close: () => listener.close(),
  }
}

async function serve(
  simulator: Simulator,
  listener: Listener,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => response.destroy())
  const body = await readWholeBody(incoming, LARGEST_BODY_BYTES)
  if (response.destroyed) return
  if (body === undefined) {
    sendReply(response, textReply(413, 'text/html', '<html>413</html>'))
    return
  }
  const [path = '/', ...rest] = (incoming.url ?? '/').split('?')
  const request = {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(rest.join('?')),
    bodyText: body.toString('utf8'),
    clientIp: clientIpOf(incoming),
  }
  const pageFile = pageFileFor(request)
  if (pageFile) {
    sendReply(response, await answerPage(pageFile, incoming.headers))
  } else if (path === '/sim' || path.startsWith('/sim/')) {
    const reply = answerControl(simulator, request, incoming.headers, listener.url)
    // A connection kept alive would be a way around a port that was just given up.
    if (!listener.isOpen()) response.setHeader('connection', 'close')
    sendReply(response, reply)
  } else {
    serveWeChat(simulator, request, response)
  }
}

/** Everybody here is on this machine: a caller may say what address it would have elsewhere. */
function clientIpOf({ headers, socket }: IncomingMessage): string {
  const [first = ''] = String(headers['x-forwarded-for'] ?? '').split(',')
  return first.trim() || (socket.remoteAddress ?? '')
}

function serveWeChat(simulator: Simulator, request: WeChatRequest, response: ServerResponse): void {
  const fault = simulator.faults.take(request.path)
  const work = () => answerAsWeChat(simulator.world, request)
  let reply: SimulatedReply | undefined
  if (fault) {
    reply = playFault(fault, response, work, simulator.world.random)
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
    errcode: reply ? errcodeIn(reply) : null,
    fault: fault?.kind ?? null,
  })
}
