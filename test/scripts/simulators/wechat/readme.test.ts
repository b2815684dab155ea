import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleOfflineWeChat } from '../../../../scripts/simulators/wechat/bundle.ts'
import { serverOptions } from '../../../../scripts/simulators/wechat/command.ts'
import { weChatPaths } from '../../../../scripts/simulators/wechat/routes.ts'
import {
  type OfflineWeChat,
  startOfflineWeChat,
} from '../../../../scripts/simulators/wechat/server.ts'
import { codeBlocks, readPage, section, tableRows } from '../../../support/documentation.ts'
import corpus from '../../../vectors/wechat-upstream.json' with { type: 'json' }

const { text } = readPage('scripts/simulators/wechat/README.md')
const run = promisify(execFile)

let folder: string
let wechat: OfflineWeChat
beforeAll(async () => {
  const [appid, secret] = [serverOptions.appid.default, serverOptions.secret.default]
  folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-offline-wechat-'))
  wechat = await startOfflineWeChat({ appid, secret })
  await bundleOfflineWeChat(path.join(folder, 'offline-wechat.cjs'))
})
afterAll(async () => {
  await wechat.close()
  await rm(folder, { recursive: true, force: true })
})

/** The examples of a section: code, and what the page says that it prints. */
function examples(title: string): { code: string; printed: string }[] {
  const blocks = codeBlocks(section(text, title))
  return blocks.flatMap(({ language, code }, index) => {
    if (language === 'text') return []
    const next = blocks[index + 1]
    return [
      {
        code: code.replaceAll('http://127.0.0.1:3001', wechat.url),
        printed: next?.language === 'text' ? next.code : '',
      },
    ]
  })
}

describe('the examples do what the page says, as they stand', () => {
  test('curl', async () => {
    const [example] = examples('curl')
    const { stdout } = await run('bash', ['-euc', example?.code ?? ''])
    expect(stdout).toBe(example?.printed)
  })

  test('JavaScript, with a running one and with the one file, far from any node_modules', async () => {
    const all = examples('JavaScript')
    expect(all).toHaveLength(2)
    for (const [index, { code, printed }] of all.entries()) {
      const file = path.join(folder, `example-${index}.mjs`)
      await writeFile(file, code)
      const { stdout } = await run(process.execPath, [file], { cwd: folder })
      expect(stdout).toBe(printed)
    }
  })
})

test('the one file holds its page and needs nothing beside it', async () => {
  const script = `
    const { startOfflineWeChat } = require('./offline-wechat.cjs')
    startOfflineWeChat({ appid: 'wxa', secret: 'b' }).then(async (wechat) => {
      for (const file of ['', 'page/page.js', 'page/page.css', 'page/lists.css', 'page/icon.svg'])
        console.log((await fetch(wechat.url + '/' + file)).status)
      await wechat.close()
    })`
  const { stdout } = await run(process.execPath, ['-e', script], { cwd: folder })
  expect(stdout).toBe('200\n'.repeat(5))
  await expect(bundleOfflineWeChat(path.join(folder, 'x.js'))).rejects.toThrow('ends in .cjs')
})

test('it names every endpoint that is played', () => {
  const named = tableRows(section(text, 'Endpoints and their rules')).map(
    ([cell = '']) => /(\/\S+)`$/.exec(cell)?.[1],
  )
  expect(named.sort()).toEqual([...weChatPaths].sort())
})

test('it names every order, and none that there is not', async () => {
  const named = tableRows(section(text, 'Control'))
    .flatMap((row) => row.join(' ').match(/(?:POST|GET) \/sim\/[a-z/-]+/g) ?? [])
    .sort()
  const help = await (await fetch(`${wechat.url}/sim`)).text()
  const offered = [...help.matchAll(/curl (?:-X (\w+) )?http:\/\/[^/]+(\/sim\/[a-z/-]+)/g)]
    .map(([, method = 'GET', order]) => `${method} ${order}`)
    .filter((order) => !order.startsWith('DELETE') && order !== 'GET /sim/faults')
  expect([...new Set(named)]).toEqual([...new Set(offered)].sort())
})

test('every behaviour of WeChat has its written answer: the one that our own login is held to', () => {
  const told = tableRows(section(text, 'When WeChat misbehaves')).map(([id, , , answer, tries]) => [
    id,
    answer,
    tries,
  ])
  expect(told).toEqual(
    corpus.cases.map(({ id, expect: { status, code }, retry }) => [
      `\`${id}\``,
      code === null ? String(status) : `${status} \`${code}\``,
      String(retry),
    ]),
  )
})
