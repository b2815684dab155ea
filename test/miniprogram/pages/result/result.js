const { stateOf, messageOf } = require('../../problems.js')

const app = getApp()
const { client } = app

const BARS_MAX = 11

// The bars of one grade, best first; where there are many grades, a bar stands for several.
function barsOf({ name, label, min, max }, summary) {
  const { mean, counts } = summary.grades[name]
  const given = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const width = Math.ceil((max - min + 1) / BARS_MAX)
  const bars = []
  for (let from = min; from <= max; from += width) {
    const to = Math.min(from + width - 1, max)
    const count = Object.entries(counts)
      .filter(([grade]) => grade >= from && grade <= to)
      .reduce((sum, [, each]) => sum + each, 0)
    const percent = given === 0 ? 0 : Math.round((100 * count) / given)
    bars.unshift({ grade: from === to ? from : `${from}–${to}`, count, percent })
  }
  return { name, label, mean: mean === null ? '–' : mean.toFixed(1), bars }
}

Page({
  data: {
    state: 'loading',
    message: '',
    account: '',
    form: null,
    count: 0,
    grades: [],
    items: [],
    next: null,
    isLoadingMore: false,
    problem: '',
  },

  onLoad() {
    this.setData({ account: app.account })
    return this.load()
  },

  async load() {
    const { account } = this.data
    try {
      const [form, page] = await Promise.all([client.form(), client.query(account)])
      this.setData({ form, items: page.items, next: page.next, problem: '' })
      await this.showSummary()
      this.watch(page.since)
    } catch (error) {
      // What is on the screen stays; only an empty screen is given to the error.
      if (this.data.form) this.setData({ problem: messageOf(error) })
      else this.setData({ state: stateOf(error), message: messageOf(error) })
    }
  },

  async showSummary() {
    const summary = await client.summary(this.data.account)
    this.setData({
      count: summary.count,
      grades: this.data.form.grades.map((grade) => barsOf(grade, summary)),
      state: summary.count === 0 ? 'empty' : 'ready',
      message: '提交后在这里看到结果',
    })
  },

  watch(since) {
    if (this.watching) this.watching.pause()
    this.watching = client.watch(this.data.account, {
      since,
      onRatings: (ratings) => {
        const known = new Set(this.data.items.map(({ id }) => id))
        const fresh = ratings.filter(({ id }) => !known.has(id))
        this.setData({ items: fresh.concat(this.data.items) })
        // The bars follow at the next round when this fails. Fewer than are listed: a new one replaced one of them.
        this.showSummary()
          .then(() => (this.data.count < this.data.items.length ? this.load() : undefined))
          .catch(() => {})
      },
    })
  },

  onShow() {
    if (this.watching) this.watching.resume()
  },

  onHide() {
    if (this.watching) this.watching.pause()
  },

  onUnload() {
    if (this.watching) this.watching.pause()
  },

  async onPullDownRefresh() {
    await this.load()
    wx.stopPullDownRefresh()
  },

  async onReachBottom() {
    const { account, next, isLoadingMore } = this.data
    if (!next || isLoadingMore) return
    this.setData({ isLoadingMore: true })
    try {
      const page = await client.query(account, { cursor: next })
      this.setData({ items: this.data.items.concat(page.items), next: page.next, problem: '' })
    } catch (error) {
      this.setData({ problem: messageOf(error) })
    } finally {
      this.setData({ isLoadingMore: false })
    }
  },

  async act() {
    this.setData({ state: 'loading' })
    try {
      await client.login()
    } catch (error) {
      return this.setData({ state: stateOf(error), message: messageOf(error) })
    }
    return this.load()
  },
})
