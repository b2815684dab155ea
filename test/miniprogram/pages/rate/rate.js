const { stateOf, messageOf } = require('../../problems.js')

const { client } = getApp()

// Whether account numbers are of digits alone, as far as their pattern tells.
function keyboardFor({ pattern }) {
  return /[A-Za-z.]|\[\^/.test(pattern.replace(/\\d/g, '')) ? 'text' : 'number'
}

const PERIODS = { ever: '', week: '每周', day: '每天', hour: '每小时' }

// What one may expect of rating again; empty where as often as one likes.
function policyText({ policy, account }) {
  if (!policy) return ''
  const { atMost, per, further } = policy
  const most = `每人${PERIODS[per]}对同一${account.label}`
  if (further === 'refuse') return `${most}可评价 ${atMost} 次`
  return `${most}保留${atMost === 1 ? '最近一次' : `最近 ${atMost} 次`}评价，再次提交会更新`
}

// What a grade is shown as while none is given: less than any can be.
const NO_GRADE = -100000

function shownGrades(form, values) {
  return form.grades.reduce((shown, { name }) => {
    const value = values[name]
    return Object.assign(shown, { [name]: Number.isInteger(value) ? value : NO_GRADE })
  }, {})
}

Page({
  data: {
    state: 'loading',
    message: '',
    form: null,
    keyboard: 'number',
    policy: '',
    isRated: false,
    values: {},
    grades: {},
    lengths: {},
    errors: {},
    problem: '',
    isBusy: false,
  },

  onLoad() {
    return this.load()
  },

  async load() {
    this.setData({ state: 'loading' })
    try {
      const form = await client.form()
      const keyboard = keyboardFor(form.account)
      const grades = shownGrades(form, {})
      this.setData({ form, keyboard, grades, policy: policyText(form), state: 'ready' })
    } catch (error) {
      this.setData({ state: stateOf(error), message: messageOf(error) })
    }
  },

  onInput(event) {
    const { name } = event.currentTarget.dataset
    this.setValue(name, event.detail.value)
    // Characters as the server counts them: an emoji is one.
    this.setData({ [`lengths.${name}`]: Array.from(event.detail.value).length })
  },

  onGrade(event) {
    this.setValue(event.currentTarget.dataset.name, event.detail.value)
  },

  setValue(name, value) {
    this.setData({ [`values.${name}`]: value, [`errors.${name}`]: '', problem: '', isRated: false })
    this.setData({ grades: shownGrades(this.data.form, this.data.values) })
  },

  // What can be seen without asking the server, so that nobody waits for it.
  check() {
    const { form, values } = this.data
    const errors = {}
    const { account } = form
    if (!new RegExp(account.pattern).test(values[account.name] || '')) {
      errors[account.name] = `请填写${account.label}：${account.hint}`
    }
    for (const { name, label, required, min, max } of form.grades) {
      const value = values[name] === undefined ? null : values[name]
      const fits = Number.isInteger(value) && value >= min && value <= max
      if (value === null && required) errors[name] = `请为“${label}”打分`
      if (value !== null && !fits) errors[name] = `${label}应为 ${min} 到 ${max} 的整数`
    }
    for (const { name, label, required, maxLength } of form.texts) {
      const length = this.data.lengths[name] || 0
      if (required && length === 0) errors[name] = `请填写${label}`
      if (length > maxLength) errors[name] = `${label}不能超过 ${maxLength} 个字`
    }
    return errors
  },

  async submit() {
    if (this.data.isBusy) return
    const errors = this.check()
    this.setData({ errors, problem: '', isRated: false })
    if (Object.keys(errors).length > 0) return this.showFirstError()
    this.setData({ isBusy: true })
    try {
      const { message } = await client.submit(this.data.values)
      wx.showToast({ title: message, icon: 'success' })
      this.openResult()
      this.setData({ values: {}, lengths: {}, grades: shownGrades(this.data.form, {}) })
    } catch (error) {
      if (stateOf(error) === 'signed-out')
        this.setData({ state: 'signed-out', message: error.message })
      else if (error.field) this.setData({ [`errors.${error.field}`]: error.message })
      else this.setData({ problem: messageOf(error), isRated: error.code === 'already-rated' })
      if (error.field) this.showFirstError()
    } finally {
      this.setData({ isBusy: false })
    }
  },

  showFirstError() {
    wx.pageScrollTo({ selector: '.error', offsetTop: -160, duration: 200 })
  },

  async act() {
    if (this.data.state !== 'signed-out') return this.load()
    try {
      await client.login()
      this.setData({ state: this.data.form ? 'ready' : 'loading' })
      if (!this.data.form) await this.load()
    } catch (error) {
      this.setData({ message: messageOf(error) })
    }
  },

  openResult() {
    getApp().account = this.data.values[this.data.form.account.name]
    wx.navigateTo({ url: '/pages/result/result' })
  },

  openMe() {
    wx.navigateTo({ url: '/pages/me/me' })
  },
})
