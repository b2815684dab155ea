/**
 * The calls of `wx` that a mini program here makes, over the browser's. Requests go to the origin of this page; what the
 * phone itself is asked for lies beside the page.
 */

interface Callbacks<Result> {
  success?: (result: Result) => void
  fail?: (failure: { errMsg: string }) => void
  complete?: () => void
}

type RequestOptions = Callbacks<{ statusCode: number; data: unknown; header: object }> & {
  url: string
  method?: string
  data?: string
  header?: Record<string, string>
  timeout?: number
}

const TOAST_MS = 1500

/** Whose phone it is: `?person=…` of this page. */
const person = new URLSearchParams(location.search).get('person') ?? ''

/** `wx`, with routing by the runtime. */
export function createWx({ open, back }: { open: (url: string) => void; back: () => void }) {
  return {
    request({ url, method = 'GET', data, header = {}, success, fail, complete }: RequestOptions) {
      const controller = new AbortController()
      const { pathname, search } = new URL(url)
      const body = method === 'GET' || data === undefined ? {} : { body: data }
      fetch(`${pathname}${search}`, {
        method,
        headers: header,
        signal: controller.signal,
        // As on a phone, unless `enableCache` is asked for.
        cache: 'no-store',
        ...body,
      })
        .then(async (answer) => ({
          statusCode: answer.status,
          data: await answer.text(),
          header: Object.fromEntries(answer.headers),
        }))
        .then(success, (error: Error) => fail?.({ errMsg: `request:fail ${error.message}` }))
        .finally(complete)
      return { abort: () => controller.abort() }
    },
    login({ success, fail }: Callbacks<{ code: string }>) {
      fetch('sim/code', { method: 'POST', body: person })
        .then((answer) => answer.json() as Promise<{ code: string }>)
        .then(success, () => fail?.({ errMsg: 'login:fail' }))
    },
    getStorageSync: (key: string) => localStorage.getItem(`${person}/${key}`) ?? '',
    setStorageSync: (key: string, value: string) => localStorage.setItem(`${person}/${key}`, value),
    getAccountInfoSync: () => ({ miniProgram: { appId: 'browser', envVersion: 'develop' } }),
    getDeviceInfo: () => ({ model: '浏览器' }),
    navigateTo: ({ url }: { url: string }) => open(url),
    navigateBack: back,
    showToast({ title }: { title: string }) {
      const toast = document.createElement('div')
      toast.id = 'toast'
      toast.setAttribute('role', 'status')
      toast.textContent = title
      document.getElementById('toast')?.remove()
      document.body.append(toast)
      setTimeout(() => toast.remove(), TOAST_MS)
    },
    showModal({
      title,
      content,
      success,
    }: Callbacks<{ confirm: boolean }> & { title: string; content: string }) {
      const modal = document.createElement('dialog')
      modal.innerHTML =
        '<h2></h2><p></p><form method="dialog"><button value="">取消</button><button value="1">确定</button></form>'
      const [heading, text] = modal.children
      if (heading) heading.textContent = title
      if (text) text.textContent = content
      modal.addEventListener('close', () => {
        modal.remove()
        success?.({ confirm: modal.returnValue === '1' })
      })
      document.body.append(modal)
      modal.showModal()
    },
    pageScrollTo({ selector, offsetTop = 0 }: { selector: string; offsetTop?: number }) {
      const target = document.querySelector(selector)
      if (target)
        window.scrollTo(0, target.getBoundingClientRect().top + window.scrollY + offsetTop)
    },
    stopPullDownRefresh() {},
  }
}
