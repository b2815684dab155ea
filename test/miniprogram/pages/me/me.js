const { stateOf, messageOf } = require('../../problems.js')

const { client } = getApp()

// `Mate 60 x7Kd…`: the last word only tells sessions apart.
function nameOf({ device }) {
  return device.split(' ').slice(0, -1).join(' ') || device || '未命名的设备'
}

function ask(title, content) {
  return new Promise((resolve) => {
    wx.showModal({
      title,
      content,
      success: ({ confirm }) => resolve(confirm),
      fail: () => resolve(false),
    })
  })
}

Page({
  data: {
    state: 'loading',
    message: '',
    form: null,
    items: [],
    next: null,
    isLoadingMore: false,
    devices: [],
    phone: '',
    isBusy: false,
  },

  onLoad() {
    return this.load()
  },

  async load() {
    try {
      // There is a session after these, which the callback of the phone button needs: it must not log in.
      const [form, page, devices] = await Promise.all([
        client.form(),
        client.myScores(),
        client.devices(),
      ])
      this.setData({
        form,
        items: page.items,
        next: page.next,
        devices: devices.map((device) => Object.assign({ name: nameOf(device) }, device)),
        state: 'ready',
      })
    } catch (error) {
      this.setData({ state: stateOf(error), message: messageOf(error) })
    }
  },

  async onPullDownRefresh() {
    if (this.data.state !== 'signed-out') await this.load()
    wx.stopPullDownRefresh()
  },

  async onReachBottom() {
    const { next, isLoadingMore } = this.data
    if (!next || isLoadingMore) return
    this.setData({ isLoadingMore: true })
    await this.attempt(async () => {
      const page = await client.myScores({ cursor: next })
      this.setData({ items: this.data.items.concat(page.items), next: page.next })
    })
    this.setData({ isLoadingMore: false })
  },

  // One thing at a time; what goes wrong is said in a toast, or by the whole page.
  async attempt(work) {
    if (this.data.isBusy) return
    this.setData({ isBusy: true })
    try {
      await work()
    } catch (error) {
      if (stateOf(error) === 'signed-out') this.setData({ state: 'signed-out', message: '' })
      wx.showToast({ title: messageOf(error), icon: 'none' })
    } finally {
      this.setData({ isBusy: false })
    }
  },

  bindPhone(event) {
    const { code, errMsg } = event.detail
    if (!code) {
      // Refused by the person, or by the platform, which says why.
      if (!/deny|cancel/.test(errMsg || ''))
        wx.showToast({ title: '暂时无法获取手机号', icon: 'none' })
      return undefined
    }
    return this.attempt(async () => {
      const { phone } = await client.bindPhone(code)
      this.setData({ phone })
      wx.showToast({ title: '已绑定', icon: 'success' })
    })
  },

  endDevice(event) {
    return this.attempt(async () => {
      await client.endDevice(event.currentTarget.dataset.id)
      const devices = this.data.devices.filter(({ id }) => id !== event.currentTarget.dataset.id)
      this.setData({ devices })
    })
  },

  logout() {
    return this.attempt(async () => {
      await client.logout()
      this.setData({ state: 'signed-out', message: '' })
    })
  },

  logoutEverywhere() {
    return this.attempt(async () => {
      if (!(await ask('退出所有设备', '其他设备上的登录也会失效。'))) return
      await client.logout({ everywhere: true })
      this.setData({ state: 'signed-out', message: '' })
    })
  },

  forgetMe() {
    return this.attempt(async () => {
      if (!(await ask('注销账号', '您的手机号、登录记录和评分都会被删除，无法恢复。'))) return
      await client.forgetMe()
      this.setData({ state: 'signed-out', message: '您的数据已删除', items: [], phone: '' })
    })
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
