const texts = {
  empty: { sign: '0', title: '还没有评分' },
  offline: { sign: '!', title: '连不上网络', action: '重试' },
  busy: { sign: '…', title: '请稍等一下', action: '重试' },
  failed: { sign: '!', title: '出了点问题', action: '重试' },
  'signed-out': { sign: '→', title: '您已退出登录', action: '重新登录' },
}

// What a page shows in place of its content: loading, empty, offline, busy, failed, signed-out.
Component({
  properties: {
    state: { type: String, value: 'loading' },
    message: { type: String, value: '' },
  },
  data: { sign: '', title: '', action: '' },
  observers: {
    state(state) {
      this.setData(Object.assign({ sign: '', title: '', action: '' }, texts[state]))
    },
  },
  methods: {
    act() {
      this.triggerEvent('act')
    },
  },
})
