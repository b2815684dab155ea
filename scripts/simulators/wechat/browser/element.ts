/** An element with its properties and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

/** The element of page.html with that id. */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const found = document.getElementById(id)
  if (!found) throw new Error(`page.html has no #${id}`)
  return found as Kind
}

/** English with its Chinese beside it. */
export function words(english: string, chinese: string): DocumentFragment {
  const both = document.createDocumentFragment()
  both.append(`${english} `, element('span', { lang: 'zh-CN', textContent: chinese }))
  return both
}

/** A button; `key` is its own among all on the page, so that it keeps the focus when its surroundings are drawn anew. */
export function button(key: string, label: Node | string, onClick: () => unknown): HTMLElement {
  const made = element('button', { type: 'button' }, label)
  made.dataset.key = key
  made.addEventListener('click', () => void onClick())
  return made
}

/** A choice among values. */
export function choice(
  key: string,
  label: string,
  values: readonly string[],
  chosen: string,
  onChange: (value: string) => unknown,
): HTMLElement {
  const options = values.map((value) =>
    element('option', { value, textContent: value, selected: value === chosen }),
  )
  const made = element('select', { ariaLabel: label }, ...options)
  made.dataset.key = key
  made.addEventListener('change', () => void onChange(made.value))
  return made
}

const drawn = new Map<string, string>()

/** Draws a part of the page anew when what it shows has changed. */
export function draw(id: string, shown: unknown, make: () => (Node | string)[]): void {
  const text = JSON.stringify(shown)
  if (drawn.get(id) === text) return
  drawn.set(id, text)
  const place = byId(id)
  const focused = document.activeElement
  const key = place.contains(focused) ? (focused as HTMLElement).dataset.key : undefined
  place.replaceChildren(...make())
  if (key === undefined) return
  place.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus()
}
