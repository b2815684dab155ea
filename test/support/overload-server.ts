/**
 * A server as a program of its own: says where it listens, over IPC. It is submit-score, or with `BUSYWORK` a function
 * that keeps the processor busy for each request and asks no store. `BROKEN` gives it an admission as it should not be.
 */

import { pbkdf2Sync } from 'node:crypto'
import * as v from 'valibot'
import { main_handler } from '../../functions/submit-score/index.ts'
import { defineEndpoint } from '../../shared/endpoint.ts'
import { createLogger } from '../../shared/log.ts'
import { serve } from '../../shared/transport/serve.ts'
import { serveWeb } from '../../shared/transport/server/web.ts'
import { type BrokenAdmission, brokenAdmissions } from './fixed-admission.ts'
import { openAuthority } from './open-authority.ts'

/** About as much as a submission costs where the store is next door, and as much more for the store itself. */
const BUSYWORK_ROUNDS = 2000

const log = createLogger({ functionName: 'overload', now: Date.now })
const busywork = serve({
  functionName: 'overload',
  parts: openAuthority,
  endpoints: [
    defineEndpoint()({
      route: 'POST /score',
      auth: 'none',
      input: v.looseObject({}),
      output: v.object({}),
      handle: async () => {
        pbkdf2Sync('password', 'salt', BUSYWORK_ROUNDS, 32, 'sha256')
        return { output: {} }
      },
    }),
  ],
  env: {},
  log,
})

const broken = process.env.BROKEN as BrokenAdmission | undefined
const server = await serveWeb((process.env.BUSYWORK ? busywork : main_handler).http, {
  host: '127.0.0.1',
  port: 0,
  log,
  ...(broken ? { admission: brokenAdmissions[broken]() } : {}),
})
process.send?.(server.url)
process.on('disconnect', () => process.exit())
