import { expect, test } from 'vitest'
import { INITIAL_WORDS } from '../../../../scripts/simulators/wechat/content-words.ts'
import { type Started, started } from './started.ts'

const TWO_HOURS_MS = 2 * 3600_000

async function withVisitor(): Promise<Started & { check: Check }> {
  const wx = await started({ nowMs: 1_700_000_000_000 })
  const { openid } = wx.wechat.issueCode({})
  const check: Check = async (content, changes = {}) => {
    const body = { version: 2, scene: 2, openid, content, ...changes }
    return wx.post('/wxa/msg_sec_check', body, { access_token: await wx.token() })
  }
  return { ...wx, check }
}
type Check = (content: unknown, changes?: Record<string, unknown>) => ReturnType<Started['post']>

test('a clean text passes with label 100', async () => {
  const { check } = await withVisitor()
  const answer = await check('服务很好，五星')
  expect(answer).toMatchObject({ errcode: 0, result: { suggest: 'pass', label: 100 } })
  expect(answer.trace_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/)
  expect(answer.detail).toMatchObject([{ strategy: 'content_model', suggest: 'pass', label: 100 }])
})

test.each(INITIAL_WORDS.map(({ word, suggest, label }) => [word, suggest, label] as const))(
  'the phrase %s is found inside a text, with errcode 0 all the same',
  async (word, suggest, label) => {
    const { check } = await withVisitor()
    expect(await check(`前文${word}后文`)).toMatchObject({ errcode: 0, result: { suggest, label } })
  },
)

test('words can be added and changed; the gravest one found decides', async () => {
  const { check, post } = await withVisitor()
  const words = [
    { word: '打折', suggest: 'review', label: 10001 },
    { word: '坏词', suggest: 'risky', label: 20003 },
  ]
  await post('/sim/words', { words })
  expect(await check('今天打折')).toMatchObject({ result: { suggest: 'review', label: 10001 } })
  const both = await check('今天打折，坏词')
  expect(both).toMatchObject({ result: { suggest: 'risky', label: 20003 } })
  expect(both.detail).toContainEqual(
    expect.objectContaining({ strategy: 'keyword', keyword: '坏词' }),
  )
  await post('/sim/words', { words: [{ word: '坏词', suggest: 'pass', label: 100 }] })
  expect(await check('坏词')).toMatchObject({ result: { suggest: 'pass' } })
})

test('title, nickname and signature are checked too', async () => {
  const { check } = await withVisitor()
  for (const member of ['title', 'nickname', 'signature']) {
    const answer = await check('好', { [member]: '模拟违规内容' })
    expect(answer).toMatchObject({ result: { suggest: 'risky' } })
  }
})

test('a user not seen for more than two hours is refused with 61010 until the next code', async () => {
  const { check, wechat } = await withVisitor()
  const { openid } = wechat.issueCode({})
  wechat.clock.advance(TWO_HOURS_MS)
  expect(await check('好', { openid })).toMatchObject({ errcode: 0 })
  wechat.clock.advance(1)
  expect(await check('好', { openid })).toMatchObject({ errcode: 61010 })
  wechat.issueCode({ openid })
  expect(await check('好', { openid })).toMatchObject({ errcode: 0 })
})

test.each([
  [{ scene: 5 }, 40129],
  [{ scene: undefined }, 40129],
  [{ openid: 'oUnknownUser' }, 40003],
  [{ openid: undefined }, 40003],
  [{ content: '' }, 47003],
  [{ content: 5 }, 47003],
  [{ content: '长'.repeat(2501) }, 45002],
])('%j is refused with %i', async (changes, errcode) => {
  const { check } = await withVisitor()
  expect(await check('好', changes)).toMatchObject({ errcode })
})

test('2500 characters are not too many, and a surrogate pair is one', async () => {
  const { check } = await withVisitor()
  expect(await check('😀'.repeat(2500))).toMatchObject({ errcode: 0 })
})

test('without version the old check answers: 87014 for a risky text', async () => {
  const { check } = await withVisitor()
  expect(await check('模拟违规内容', { version: undefined })).toMatchObject({ errcode: 87014 })
  expect(await check('好', { version: undefined })).toEqual({ errcode: 0, errmsg: 'ok' })
})

test('a bad token is refused before anything else is looked at', async () => {
  const { post } = await started()
  const answer = await post('/wxa/msg_sec_check', { version: 2 }, { access_token: 'x' })
  expect(answer).toMatchObject({ errcode: 40014 })
})
