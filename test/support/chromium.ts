/** A headless Chromium with one page the size of a phone, driven over its DevTools protocol. */

import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import WebSocket from 'ws'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** Where Chromium is on this machine, if it is. */
export const chromiumPath = (process.env.PATH ?? '')
  .split(path.delimiter)
  .flatMap((folder) => names.map((name) => path.join(folder, name)))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

export interface PhonePage {
  open(url: string): Promise<void>
  /** The value of an expression in the page. */
  evaluate<T>(expression: string): Promise<T>
  /** Resolves once the expression is true. */
  until(expression: string): Promise<void>
  /** Touches the middle of the element at `index` among those that match; `iframe >>> a` is inside that frame. */
  tap(selector: string, index?: number): Promise<void>
  type(selector: string, text: string, index?: number): Promise<void>
  scrollToEnd(): Promise<void>
  /** Pulls the page down with a finger. */
  pullDown(): Promise<void>
  resize(width: number, options?: { dark?: boolean; height?: number }): Promise<void>
  /** PNG; of the whole page unless `screenOnly`. */
  screenshot(options?: { screenOnly?: boolean }): Promise<Buffer>
  /** Exceptions and errors on the console so far. */
  errors(): string[]
}

export interface Chromium {
  page: PhonePage
  close(): Promise<void>
}

const UNTIL_MS = 25_000
const POLL_MS = 40
const HEIGHT_PX = 812

/** Starts Chromium. */
export async function startChromium(): Promise<Chromium> {
  if (!chromiumPath) throw new Error('no Chromium on this machine')
  const folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-chromium-'))
  const browser = spawn(chromiumPath, [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--hide-scrollbars',
    '--remote-debugging-port=0',
    `--user-data-dir=${folder}`,
    'about:blank',
  ])
  const socket = await connect(browser)
  const closed = new Promise((resolve) => browser.once('close', resolve))
  return {
    page: await createPage(socket),
    async close() {
      socket.terminate()
      browser.kill()
      await closed
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

async function connect(browser: ChildProcess): Promise<WebSocket> {
  let output = ''
  const endpoint = await new Promise<string>((resolve, reject) => {
    browser.once('close', () => reject(new Error(`Chromium ended:\n${output}`)))
    browser.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      const [found] = /ws:\S+/.exec(output) ?? []
      if (found) resolve(found)
    })
  })
  const { host } = new URL(endpoint)
  const tabs = (await (await fetch(`http://${host}/json`)).json()) as {
    type: string
    webSocketDebuggerUrl: string
  }[]
  const socket = new WebSocket(tabs.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '')
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  return socket
}

interface Message {
  id?: number
  method?: string
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's answers are looked into by name
  result?: any
  // biome-ignore lint/suspicious/noExplicitAny: as above
  params?: any
  error?: { message: string }
}

/** The expression for an element. */
function elementAt(selector: string, index: number): string {
  const [inside = '', frame] = selector.split(' >>> ').reverse()
  const root = frame
    ? `document.querySelector(${JSON.stringify(frame)}).contentDocument`
    : 'document'
  return `${root}.querySelectorAll(${JSON.stringify(inside)})[${index}]`
}

async function createPage(socket: WebSocket): Promise<PhonePage> {
  const waiting = new Map<number, (message: Message) => void>()
  const errors: string[] = []
  let lastId = 0
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message
    if (message.id !== undefined) return waiting.get(message.id)?.(message)
    if (message.method === 'Runtime.exceptionThrown') {
      errors.push(message.params.exceptionDetails.exception?.description ?? 'exception')
    }
    if (message.method === 'Runtime.consoleAPICalled' && message.params.type === 'error') {
      errors.push(JSON.stringify(message.params.args))
    }
  })
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's answers are looked into by name
  const send = (method: string, params: object = {}): Promise<any> =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id)
        if (error) reject(new Error(`${method}: ${error.message}`))
        else resolve(result)
      })
      socket.send(JSON.stringify({ id, method, params }))
    })

  const page: PhonePage = {
    async open(url) {
      await send('Page.navigate', { url })
    },
    async evaluate(expression) {
      const options = { expression, returnByValue: true, awaitPromise: true }
      const { result, exceptionDetails } = await send('Runtime.evaluate', options)
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description)
      return result.value
    },
    async until(expression) {
      const endAtMs = performance.now() + UNTIL_MS
      while (!(await page.evaluate(`Boolean(${expression})`).catch(() => false))) {
        if (performance.now() > endAtMs) {
          const text = await page.evaluate('document.body.innerText')
          throw new Error(`never: ${expression}\n${text}\n${errors.join('\n')}`)
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    },
    async tap(selector, index = 0) {
      const found = elementAt(selector, index)
      await page.until(found)
      const point = await page.evaluate<{ x: number; y: number }>(`(() => {
        const element = ${found}
        element.scrollIntoView({ block: 'center' })
        const { x, y, width, height } = element.getBoundingClientRect()
        const frame = element.ownerDocument.defaultView.frameElement
        const { x: left, y: top } = frame ? frame.getBoundingClientRect() : { x: 0, y: 0 }
        return { x: left + x + width / 2, y: top + y + height / 2 }
      })()`)
      await send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [point] })
      await send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    },
    async type(selector, text, index = 0) {
      await page.evaluate(`${elementAt(selector, index)}.focus()`)
      await send('Input.insertText', { text })
    },
    async scrollToEnd() {
      await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)')
    },
    async pullDown() {
      await page.evaluate('window.scrollTo(0, 0)')
      const at = (y: number) => [{ x: 180, y }]
      await send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(120) })
      await send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(300) })
      await send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    },
    async resize(width, { dark = false, height = HEIGHT_PX } = {}) {
      const metrics = { width, height, deviceScaleFactor: 2, mobile: true }
      await send('Emulation.setDeviceMetricsOverride', metrics)
      const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]
      await send('Emulation.setEmulatedMedia', { features })
    },
    async screenshot({ screenOnly = false } = {}) {
      const options = { format: 'png', captureBeyondViewport: !screenOnly }
      const { data } = await send('Page.captureScreenshot', options)
      return Buffer.from(data, 'base64')
    },
    errors: () => errors,
  }
  await send('Runtime.enable')
  await send('Page.enable')
  await send('Emulation.setTouchEmulationEnabled', { enabled: true })
  await page.resize(375)
  return page
}
