/** Pages of the example mini program as objects, without a screen: their own code, on a fake phone. */

import { readFileSync } from 'node:fs'
import path from 'node:path'
import vm from 'node:vm'
import type { FakePhone } from './fake-phone.ts'

export interface ExamplePage {
  // biome-ignore lint/suspicious/noExplicitAny: a page's data is looked into by name
  data: any
  /** Calls one of the page's functions as an event of WeChat does. */
  call(name: string, event?: object): Promise<void>
}

export interface ExampleApp {
  /** Opens a page, `pages/rate/rate`; resolves when its `onLoad` has. */
  open(page: string): Promise<ExamplePage>
  toasts: string[]
  /** What `getApp()` gives the pages. */
  object(): { account: string }
  /** Where the pages went. */
  urls: string[]
  /** Answers every question the pages ask. */
  confirms: boolean
}

type PageOptions = Record<string, unknown> & { data: object }

/** Starts the app in `folder` on a phone. `baseUrl` stands in for the address of its config.js. */
export function startExampleApp(folder: string, phone: FakePhone, baseUrl: string): ExampleApp {
  const app: ExampleApp = {
    open,
    toasts: [],
    urls: [],
    confirms: true,
    object: () => appObject as { account: string },
  }
  let appObject: unknown
  let pageOptions: PageOptions | undefined
  const wx = {
    ...phone.wx,
    showToast: ({ title }: { title: string }) => void app.toasts.push(title),
    showModal: ({ success }: { success(result: { confirm: boolean }): void }) =>
      success({ confirm: app.confirms }),
    navigateTo: ({ url }: { url: string }) => void app.urls.push(url),
    pageScrollTo() {},
    stopPullDownRefresh() {},
  }
  const context = vm.createContext({
    wx,
    console,
    setTimeout,
    clearTimeout,
    getApp: () => appObject,
    App: (options: unknown) => {
      appObject = options
    },
    Page: (options: PageOptions) => {
      pageOptions = options
    },
  })

  const modules = new Map<string, unknown>()
  function load(file: string): unknown {
    const known = modules.get(file)
    if (known) return known
    const module = { exports: {} as unknown }
    const resolve = (name: string): string =>
      name.startsWith('.')
        ? path.resolve(path.dirname(file), name)
        : path.join(folder, 'miniprogram_npm', name, 'index.js')
    const source = `(function (require, module, exports) {${readFileSync(file, 'utf8')}\n})`
    const run = vm.runInContext(source, context, { filename: file })
    run((name: string) => load(resolve(name)), module, module.exports)
    modules.set(file, module.exports)
    return module.exports
  }

  async function open(name: string): Promise<ExamplePage> {
    pageOptions = undefined
    modules.delete(path.join(folder, `${name}.js`))
    load(path.join(folder, `${name}.js`))
    const options = pageOptions as PageOptions | undefined
    if (!options) throw new Error(`${name} calls no Page`)
    const page: Record<string, unknown> & { data: object } = {
      ...options,
      data: structuredClone(options.data),
      setData(changes: Record<string, unknown>) {
        for (const [key, value] of Object.entries(changes))
          setPath(page.data, key.split('.'), value)
      },
    }
    const call = async (method: string, event?: object): Promise<void> => {
      const work = page[method]
      if (typeof work !== 'function') throw new Error(`${name} has no ${method}`)
      await work.call(page, event)
    }
    await call('onLoad', {})
    return { data: page.data, call }
  }

  modules.set(path.join(folder, 'config.js'), { baseUrl })
  load(path.join(folder, 'app.js'))
  return app
}

/** As setData reads `values.grade1`. */
function setPath(target: object, [name = '', ...rest]: string[], value: unknown): void {
  const object = target as Record<string, object>
  if (rest.length === 0) {
    object[name] = value as object
    return
  }
  object[name] ??= {}
  setPath(object[name], rest, value)
}
