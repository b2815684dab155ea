import { describe, expect, test } from 'vitest'
import { playUpstream, type UpstreamBehaviour } from '../../../support/upstream-behaviour.ts'
import corpus from '../../../vectors/wechat-upstream.json' with { type: 'json' }
import { exchangeRaw, parts } from './socket.ts'
import { type Started, started } from './started.ts'

const PATH = '/sns/jscode2session'

interface Case {
  id: string
  resp: UpstreamBehaviour
}
const cases = corpus.cases as Case[]

/** Tells the simulator over HTTP, as a test in any language would. */
async function order({ post }: Started, behaviour: UpstreamBehaviour): Promise<void> {
  for (const fault of playUpstream(behaviour)) {
    expect(await post('/sim/faults', fault)).toHaveProperty('waiting')
  }
}

/** One request must see exactly what the corpus describes. */
async function expectSeen(wx: Started, behaviour: UpstreamBehaviour): Promise<void> {
  const { url } = wx.wechat
  const { net, status = 200, ct, headers = {}, body = '', delayMs = 0 } = behaviour
  switch (net) {
    case 'refuse': {
      expect(await exchangeRaw(url, PATH)).toMatchObject({ outcome: 'refused' })
      await wx.wechat.clearFaults()
      expect((await exchangeRaw(url, PATH)).outcome).toBe('ended')
      return
    }
    case 'reset-after-request': {
      expect(await exchangeRaw(url, PATH)).toMatchObject({ outcome: 'reset', text: '' })
      return
    }
    case 'hang': {
      const seen = await exchangeRaw(url, PATH, { watchMs: 700 })
      expect(seen).toMatchObject({ outcome: 'open', text: '' })
      return
    }
    case 'byte-per-second': {
      const seen = await exchangeRaw(url, PATH, {
        watchMs: 5000,
        enough: (text) => parts(text).body.length > 0 && text.includes('\r\n\r\n'),
      })
      expect(seen.elapsedMs).toBeGreaterThan(950)
      expect(parts(seen.text).body).toBe(body.slice(0, 1))
      expect(parts(seen.text).headers.get('content-length')).toBe(`${Buffer.byteLength(body)}`)
      return
    }
    case 'content-length-too-long': {
      const seen = await exchangeRaw(url, PATH, { watchMs: 700 })
      expect(seen.outcome).not.toBe('reset')
      expect(parts(seen.text).body).toBe(body)
      const claimed = Number(parts(seen.text).headers.get('content-length'))
      expect(claimed).toBeGreaterThan(Buffer.byteLength(body))
      return
    }
    case undefined: {
      const seen = await exchangeRaw(url, PATH, { watchMs: 5000 })
      expect(seen.outcome).toBe('ended')
      expect(seen.elapsedMs).toBeGreaterThan(delayMs - 50)
      const reply = parts(seen.text)
      expect([reply.status, reply.body]).toEqual([status, body])
      expect(reply.headers.get('content-type')).toBe(ct ?? 'text/plain')
      for (const [name, value] of Object.entries(headers)) {
        expect(reply.headers.get(name)).toBe(value)
      }
      return
    }
    default:
      throw new Error(`no expectation for ${net}`)
  }
}

describe.concurrent('every upstream behaviour of the corpus happens on the socket', () => {
  for (const { id, resp } of cases) {
    test(id, async ({ onTestFinished }) => {
      const wx = await started({}, onTestFinished)
      await order(wx, resp)
      for (const step of resp.sequence ?? [resp]) await expectSeen(wx, step)
      // Nothing is left over: the next request gets WeChat's own answer.
      const after = await exchangeRaw(wx.wechat.url, PATH, { watchMs: 2000 })
      expect(parts(after.text).body).toContain('"errcode":41002')
    })
  }
})

test('a behaviour the simulator does not know is refused, not played as something else', () => {
  expect(() => playUpstream({ net: 'carrier-pigeon' })).toThrow('carrier-pigeon')
})

test('a behaviour can be repeated for a caller that tries again', async () => {
  const wx = await started()
  for (const fault of playUpstream({ status: 502, body: 'x' }, { times: 2 })) {
    wx.wechat.addFault(fault)
  }
  const statuses = []
  for (let count = 0; count < 3; count += 1) {
    statuses.push(parts((await exchangeRaw(wx.wechat.url, PATH)).text).status)
  }
  expect(statuses).toEqual([502, 502, 200])
})
