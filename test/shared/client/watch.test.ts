import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ClientError } from '../../../shared/client/client-error.ts'
import type { AccountPage, Rating } from '../../../shared/client/contract.ts'
import { startWatch, type Watch } from '../../../shared/client/watch.ts'

/** An account as `POST /query` answers for it; `since` is the position of a rating. */
function createAccount() {
  const ids: string[] = []
  let asked = 0
  let failure: ClientError | undefined
  return {
    ids,
    asked: () => asked,
    fail: (error: ClientError | undefined) => {
      failure = error
    },
    async read(page: { since: string | null; cursor: string | null }): Promise<AccountPage> {
      if (page.cursor === null) asked++
      if (failure) throw failure
      const older = page.cursor === null ? ids.length : Number(page.cursor)
      const from = Math.max(page.since === null ? 0 : Number(page.since), older - 3)
      const items = ids
        .slice(from, older)
        .reverse()
        .map((id) => ({ id }) as Rating)
      const hasMore = from > (page.since === null ? 0 : Number(page.since))
      return {
        items,
        next: hasMore ? `${from}` : null,
        since: ids.length ? `${ids.length}` : page.since,
      }
    },
  }
}

describe('watching an account', () => {
  let account: ReturnType<typeof createAccount>
  let told: string[]
  let watch: Watch
  const onRatings = (ratings: Rating[]) => void told.push(...ratings.map(({ id }) => id))
  beforeEach(() => {
    vi.useFakeTimers()
    account = createAccount()
    told = []
  })
  afterEach(() => {
    watch.pause()
    vi.useRealTimers()
  })

  test('tells each new rating once, also those of more than one page', async () => {
    account.ids.push('a', 'b')
    watch = startWatch(account.read, { onRatings })
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['b', 'a'])
    account.ids.push('c', 'd', 'e', 'f', 'g')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told.slice(2)).toEqual(['g', 'f', 'e', 'd', 'c'])
  })

  test('tells a rating that was stored late, with an id older than one told already', async () => {
    account.ids.push('a')
    watch = startWatch(account.read, { onRatings })
    await vi.advanceTimersByTimeAsync(0)
    account.ids.push('c')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(told).toEqual(['a', 'c'])
    account.ids.splice(1, 0, 'b')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(told).toEqual(['a', 'c', 'b'])
  })

  test('goes on from a page that was read before', async () => {
    account.ids.push('a', 'b', 'c')
    watch = startWatch(account.read, { onRatings, since: '2' })
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['c'])
  })

  test('asks every 5 to 10 seconds while something happens, and seldom while nothing does', async () => {
    account.ids.push('first')
    watch = startWatch(account.read, { onRatings })
    for (let second = 0; second < 600; second += 4) {
      account.ids.push(`${second}`)
      await vi.advanceTimersByTimeAsync(4000)
    }
    expect(account.asked()).toBeGreaterThanOrEqual(600 / 10)
    expect(account.asked()).toBeLessThanOrEqual(600 / 5 + 1)
    await vi.advanceTimersByTimeAsync(600_000)
    const before = account.asked()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(account.asked() - before).toBeLessThanOrEqual(11)
    expect(account.asked() - before).toBeGreaterThanOrEqual(4)
  })

  test('asks nothing while the page is hidden, and at once when it is shown again', async () => {
    watch = startWatch(account.read, { onRatings })
    await vi.advanceTimersByTimeAsync(0)
    watch.pause()
    account.ids.push('a')
    const before = account.asked()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(account.asked()).toBe(before)
    watch.resume()
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['a'])
  })

  test('shown twice it still asks once at a time', async () => {
    watch = startWatch(account.read, { onRatings })
    watch.resume()
    watch.resume()
    await vi.advanceTimersByTimeAsync(0)
    const before = account.asked()
    await vi.advanceTimersByTimeAsync(13_000)
    expect(account.asked() - before).toBeGreaterThanOrEqual(1)
    expect(account.asked() - before).toBeLessThanOrEqual(2)
  })

  test('a failure is told and tried again later; one that will not pass ends it', async () => {
    const onError = vi.fn()
    watch = startWatch(account.read, { onRatings, onError })
    account.fail(new ClientError('network', '', 'later'))
    await vi.advanceTimersByTimeAsync(120_000)
    expect(onError).toHaveBeenCalled()
    account.fail(undefined)
    account.ids.push('a')
    await vi.advanceTimersByTimeAsync(120_000)
    expect(told).toEqual(['a'])
    account.fail(new ClientError('signed-out', '', 'login'))
    await vi.advanceTimersByTimeAsync(120_000)
    const before = account.asked()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(account.asked()).toBe(before)
  })
})
