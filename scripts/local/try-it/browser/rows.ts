/** The tables of the database, what is new in them marked. */

import { byId, element } from './element.ts'
import type { Cell, Table } from './told.ts'

/** Of ids and digests only so much is shown: the whole is their title. */
const SHORT_LENGTH = 8
/** Open before anybody asks. */
const OPEN = new Set(['ratings', 'users'])

/** `openAccount` is told which account is to be looked at. */
export function createRows(openAccount: (acc_nbr: string) => void): {
  show(tables: readonly Table[]): void
} {
  const known = new Map<string, Set<string>>()
  const places = new Map<string, { count: HTMLElement; content: HTMLElement }>()

  function placeOf(name: string) {
    const place = places.get(name) ?? {
      count: element('span'),
      content: element('div', {
        className: 'scroll',
        tabIndex: 0,
        role: 'region',
        ariaLabel: name,
      }),
    }
    if (!places.has(name)) {
      const summary = element('summary', { className: 'table-title' }, `${name} `, place.count)
      const details = element('details', { className: 'table' }, summary, place.content)
      details.id = `table-${name}`
      details.open = OPEN.has(name)
      byId('tables').append(details)
      places.set(name, place)
    }
    return place
  }

  function bodyOf({ name, columns, rows }: Table): HTMLElement {
    const before = known.get(name)
    const keys = rows.map((row) => JSON.stringify(row))
    known.set(name, new Set(keys))
    const lines = rows.map((row, index) => {
      const isFresh = before !== undefined && !before.has(keys[index] ?? '')
      const cells = row.map((cell, column) => cellOf(cell, columns[column] ?? '', openAccount))
      return element('tr', { className: isFresh ? 'fresh' : '' }, ...cells)
    })
    const heads = columns.map((column) => element('th', { scope: 'col', textContent: column }))
    return element(
      'table',
      {},
      element('thead', {}, element('tr', {}, ...heads)),
      element('tbody', {}, ...lines),
    )
  }

  return {
    show(tables) {
      for (const table of tables) {
        const { count, content } = placeOf(table.name)
        count.textContent = table.problem ?? countOf(table.rows.length)
        content.hidden = table.rows.length === 0
        content.replaceChildren(bodyOf(table))
      }
    },
  }
}

function countOf(rows: number): string {
  return rows === 0 ? 'empty' : rows === 1 ? '1 row' : `${rows} rows`
}

function cellOf(
  { text, kind }: Cell,
  column: string,
  openAccount: (acc_nbr: string) => void,
): HTMLElement {
  if (column === 'acc_nbr') {
    const button = element('button', { type: 'button', className: 'account', textContent: text })
    button.addEventListener('click', () => openAccount(text))
    return element('td', { className: kind }, button)
  }
  // Ids begin with their time: the end tells them apart.
  if (kind === 'id') return shortCell(`…${text.slice(-SHORT_LENGTH)}`, text, kind)
  if (kind === 'digest') return shortCell(`${text.slice(0, SHORT_LENGTH)}…`, text, kind)
  if (kind === 'time') {
    return shortCell(new Date(text).toLocaleString('sv-SE').slice('2026-'.length), text, kind)
  }
  return shortCell(text, text, kind)
}

function shortCell(textContent: string, title: string, className: string): HTMLElement {
  return element('td', { className, title, textContent })
}
