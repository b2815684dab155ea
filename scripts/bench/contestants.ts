/** Who takes part in the benchmark of the peers: how each is started for one answer, and as a server. */

import type { Defer } from '../cli/closers.ts'
import { type BackEnd, bundleOf, userIdOf, writeNoOp } from './back-end.ts'
import { contestantNames } from './contestant-names.ts'
import type { InstanceOptions } from './instance.ts'
import { type MeasuredServer, startServer } from './measured-server.ts'
import { type PeerPrograms, peerCredentials } from './peer-programs.ts'
import { compileProgram } from './programs.ts'
import { type LoadTask, startEvent, startFloor } from './throughput.ts'

export interface PeerContestant {
  name: string
  /** What its requests carry. */
  token: string
  status: (task: LoadTask) => number
  /** What a fresh process is started with. */
  cold: (task: LoadTask) => Promise<Pick<InstanceOptions, 'bundle' | 'variables' | 'launcher'>>
  serve: (task: LoadTask, defer: Defer) => Promise<MeasuredServer>
}

/** Event functions behind the same front; the floor and Flask are servers themselves. */
export async function contestantsFor(
  backEnd: BackEnd,
  programs: PeerPrograms,
): Promise<PeerContestant[]> {
  const { folder, token } = backEnd
  const mysql = backEnd.variables.mysql ?? {}
  const userId = userIdOf(token)
  const { JWT_SECRET, token: peerToken } = peerCredentials(userId)
  const variables = { DATABASE_URL: mysql.DATABASE_URL ?? '', JWT_SECRET, NODE_ENV: 'production' }
  const front = await compileProgram('front', folder)
  const floorHandler = await compileProgram('floor-handler', folder)
  const peer = (name: string, bundle: string): PeerContestant => ({
    name,
    token: peerToken,
    status: () => 200,
    cold: async () => ({ bundle, variables }),
    serve: (_, defer) => startServer({ args: [front, bundle], folder, variables }, defer),
  })
  const contestants: PeerContestant[] = [
    { ...peer(contestantNames.noOp, await writeNoOp(folder)), status: () => 204 },
    {
      ...peer(contestantNames.floor, floorHandler),
      cold: async () => ({ bundle: floorHandler, variables: { ...variables, USER_ID: userId } }),
      serve: (_, defer) => startFloor(1, backEnd, defer),
    },
    {
      name: contestantNames.own,
      token,
      status: ({ status }) => status,
      cold: async ({ functionName }) => ({
        bundle: await bundleOf(functionName, 'mysql', folder),
        variables: mysql,
      }),
      serve: ({ functionName }, defer) => startEvent(functionName, backEnd, defer),
    },
    peer(contestantNames.hono, programs.hono),
    peer(contestantNames.express, programs.express),
  ]
  if (programs.flask) {
    const { python: command, app, answers: program } = programs.flask
    contestants.push({
      ...peer(contestantNames.flask, app),
      cold: async () => ({ bundle: app, variables, launcher: { command, program } }),
      serve: (_, defer) => startServer({ command, args: [app], folder, variables }, defer),
    })
  }
  return contestants
}
