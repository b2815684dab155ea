/** What functions find around them on this machine: a migrated database, a WeChat, and secrets of this checkout. */

import { rm } from 'node:fs/promises'
import path from 'node:path'
import { openDb } from '../../shared/wiring/database.ts'
import { prepareOutdir, projectFolder } from '../build/bundle.ts'
import type { Defer } from '../cli/closers.ts'
import { localSecrets } from '../cli/data-folder.ts'
import type { Stage } from '../cli/stage.ts'
import { startLocalDatabase } from '../database/local-database.ts'
import { migrate, readMigrations } from '../database/migrations.ts'
import { type OfflineWeChat, startOfflineWeChat } from '../simulators/wechat/server.ts'

export interface Surroundings {
  /** Addresses and secrets: they hold over anything that serverless.yml gives a function. */
  variables: Record<string, string> & { DATABASE_URL: string; WECHAT_API_URL: string }
  /** The offline WeChat, unless the stage has the address of another. */
  wechat: OfflineWeChat | undefined
}

export interface SurroundingsOptions {
  stage: Stage
  /** Where local secrets live; `.data` by default. */
  folder?: string | undefined
  /** Of the offline WeChat; 0 chooses a free one. */
  wechatPort: number
  /** Whether it takes login codes that the WeChat DevTools made. */
  adoptUnknownCodes?: boolean
  print: (line: string) => void
  /** Gets what is to be ended. */
  defer: Defer
}

/** @throws {Error} a sentence */
export async function startSurroundings(options: SurroundingsOptions): Promise<Surroundings> {
  const { stage, folder, wechatPort, adoptUnknownCodes = false, print, defer } = options
  const own = await localSecrets(folder)
  const {
    DATABASE_URL: address = '',
    WECHAT_APPID: appid = own.WECHAT_APPID ?? '',
    WECHAT_SECRET: secret = own.WECHAT_SECRET ?? '',
    WECHAT_API_URL: otherWeChat,
  } = stage.values
  const database = await startLocalDatabase(address)
  defer(database.close)
  const db = await openDb(database.url)
  await migrate(db, {
    migrations: await readMigrations(),
    onStep: (step) => print(`migrate ${step}`),
  }).finally(() => db.close())

  let wechat: OfflineWeChat | undefined
  if (otherWeChat === undefined) {
    let isSaid = false
    wechat = await startOfflineWeChat({
      port: wechatPort,
      portSetting: 'WECHAT_PORT',
      appid,
      secret,
      adoptUnknownCodes,
      onAdopted(openid) {
        if (isSaid) return
        isSaid = true
        print(
          `offline WeChat: took a login code it did not make, as the DevTools send them, for ${openid} (--strict-codes refuses them)`,
        )
      },
    })
    defer(wechat.close)
  }
  return {
    wechat,
    variables: {
      ...own,
      WECHAT_APPID: appid,
      WECHAT_SECRET: secret,
      WECHAT_API_URL: otherWeChat ?? wechat?.url ?? '',
      DATABASE_URL: database.url,
    },
  }
}

/** A folder under dist/ for the bundles of this process alone: another may run with another database. */
export async function makeOwnOutdir(purpose: string, defer: Defer): Promise<string> {
  const outdir = path.join(projectFolder, 'dist', purpose, String(process.pid))
  defer(() => rm(outdir, { recursive: true, force: true }))
  await prepareOutdir(outdir)
  return outdir
}
