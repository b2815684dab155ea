/** The client of miniscore for mini programs: one file without dependencies. `npm run build` writes it to dist/client/. */

export { type Abort, type AbortSignalLike, createAbort } from './abort.ts'
export type { FunctionName } from './carrier.ts'
export {
  type CallOptions,
  type Client,
  type ClientOptions,
  createClient,
  type PageOptions,
} from './client.ts'
export { ClientError, type ClientFailureCode } from './client-error.ts'
export type * from './contract.ts'
export type { CloudLike, FetchLike, WxLike } from './platform.ts'
export type { Watch, WatchOptions } from './watch.ts'
