/**
 * The part of WeChat around a mini program's components, in a browser: pages and their life cycle, the navigation bar,
 * native text fields, pulling down and reaching the bottom.
 */

import { glassEasel, MiniProgramEnv } from 'glass-easel-miniprogram-adapter'
import type { CompiledComponent } from './compiled-component.ts'
import { defineControls } from './controls.ts'
import { createWx } from './wx.ts'

interface LoadedComponent extends CompiledComponent {
  template: unknown
  load: () => void
}

/** A page's own functions, by the names WeChat calls them. */
type PageOptions = Record<string, unknown> & { data?: object }

interface OpenPage {
  path: string
  /** With its query, as the mini program opened it. */
  url: string
  instance: Record<string, unknown>
  holder: HTMLElement
  scrollTop: number
}

const TAGS = ['view', 'text', 'image', 'button', 'input', 'textarea']
const REACH_BOTTOM_DISTANCE_PX = 50

/** Runs an app: its `app.js`, and its components in the order given, each after those that it uses. */
export function startMiniProgram(
  app: { title: string; firstPage: string; style: string },
  loadApp: () => void,
  components: LoadedComponent[],
): void {
  const env = new MiniProgramEnv()
  const space = env.createCodeSpace('app', true)
  for (const tag of TAGS)
    space.getComponentSpace().setGlobalUsingComponent(tag, `wx-${tag}` as never)
  const context = new glassEasel.CurrentWindowBackendContext()
  context.onEvent((target: unknown, type: unknown, detail: unknown, options: unknown) =>
    glassEasel.Event.triggerEvent(
      target as never,
      type as never,
      detail as never,
      options as never,
    ),
  )
  const backend = env.associateBackend(context as never)
  defineControls()

  const pageOptions = new Map<string, PageOptions>()
  const stack: OpenPage[] = []
  const element = (id: string) => document.getElementById(id) as HTMLElement
  const titleOf = (path: string): string =>
    components.find((each) => each.path === path)?.config.navigationBarTitleText ?? app.title

  const callPage = (page: OpenPage | undefined, name: string, argument?: unknown): void => {
    const method = page && pageOptions.get(page.path)?.[name]
    if (typeof method === 'function') method.call(page?.instance, argument)
  }

  const show = (page: OpenPage): void => {
    element('pages').replaceChildren(page.holder)
    element('title').textContent = titleOf(page.path)
    element('back').hidden = stack.length < 2 && page.path === app.firstPage
    // Loaded again, the phone shows the same page.
    history.replaceState(null, '', `#${page.url}`)
    window.scrollTo(0, page.scrollTop)
    Object.assign(globalThis, { page: page.instance })
    callPage(page, 'onShow')
  }

  const open = (url: string): void => {
    const [path = '', query = ''] = url.replace(/^\//, '').split('?')
    const before = stack.at(-1)
    if (before) {
      before.scrollTop = window.scrollY
      callPage(before, 'onHide')
    }
    const holder = document.createElement('div')
    const placeholder = document.createElement('div')
    holder.append(placeholder)
    const root = backend.createRoot('wx-page', space, path)
    root.attach(holder as never, placeholder as never)
    const instance = root.get() as unknown as Record<string, unknown>
    const page = { path, url, instance, holder, scrollTop: 0 }
    stack.push(page)
    callPage(page, 'onLoad', Object.fromEntries(new URLSearchParams(query)))
    show(page)
    callPage(page, 'onReady')
  }

  const back = (): void => {
    const page = stack.pop()
    if (page) callPage(page, 'onUnload')
    const below = stack.at(-1)
    if (below) show(below)
    else open(app.firstPage)
  }

  element('back').addEventListener('click', back)
  document.addEventListener('visibilitychange', () =>
    callPage(stack.at(-1), document.hidden ? 'onHide' : 'onShow'),
  )
  /** The height of what was last reached the end of: once for each. */
  let reachedHeight = 0
  window.addEventListener('scroll', () => {
    const { scrollHeight } = document.documentElement
    const isAtBottom = window.scrollY + window.innerHeight > scrollHeight - REACH_BOTTOM_DISTANCE_PX
    if (isAtBottom && scrollHeight !== reachedHeight) callPage(stack.at(-1), 'onReachBottom')
    reachedHeight = isAtBottom ? scrollHeight : 0
  })
  onPull(() => callPage(stack.at(-1), 'onPullDownRefresh'))

  const globals = globalThis as Record<string, unknown>
  globals.wx = createWx({ open, back })
  globals.App = (options: object) => {
    globals.getApp = () => options
    // What the app knew on the page that is opened again: all of this page's query but whose phone it is.
    const { person: _person, ...known } = Object.fromEntries(new URLSearchParams(location.search))
    Object.assign(options, known)
  }
  space.addStyleSheet('app', 'app')
  backend.registerStyleSheetContent('app', app.style)
  loadApp()
  for (const { path, isPage, config, template, style, classPrefix } of components) {
    space.addComponentStaticConfig(path, { ...config, component: !isPage } as never)
    space.addCompiledTemplate(path, template as never)
    space.addStyleSheet(path, path, classPrefix?.slice(0, -2) || undefined)
    backend.registerStyleSheetContent(path, style)
  }
  for (const { path, load } of components) {
    space.componentEnv(path, (each) => {
      globals.Component = each.Component
      globals.Page = (options: PageOptions) => {
        pageOptions.set(path, options)
        const methods = Object.fromEntries(
          Object.entries(options).filter(([, value]) => typeof value === 'function'),
        )
        each.Component({ data: options.data ?? {}, methods } as never)
      }
      load()
    })
  }
  open(location.hash.slice(1) || app.firstPage)
}

const PULL_DISTANCE_PX = 80

/** A finger that goes down from the top of a page. */
function onPull(refresh: () => void): void {
  let fromY: number | undefined
  document.addEventListener('touchstart', ({ touches }) => {
    fromY = window.scrollY === 0 ? touches[0]?.clientY : undefined
  })
  document.addEventListener('touchend', ({ changedTouches }) => {
    const toY = changedTouches[0]?.clientY
    if (fromY !== undefined && toY !== undefined && toY - fromY > PULL_DISTANCE_PX) refresh()
    fromY = undefined
  })
}
