/** Figures that have a bar, as one SVG: a column for each chart, a row for each label. */

import type { Bar, Figure } from './figure.ts'

const LABELS_PX = 210
const COLUMN_PX = 215
const BAR_MOST_PX = 140
const ROW_PX = 24
const BAR_PX = 15
const HEAD_PX = 42
const MARGIN_PX = 14

export interface PictureOptions {
  /** For those who cannot see it. */
  title: string
  /** The label whose bars stand out. */
  emphasized: string
  /** Below the bars: what was measured where. */
  caption: string
}

/** @throws {Error} when no figure has a bar */
export function renderPicture(
  figures: readonly Figure[],
  { title, emphasized, caption }: PictureOptions,
): string {
  const bars = figures.flatMap((figure) => ('bar' in figure && figure.bar ? [figure.bar] : []))
  if (bars.length === 0) throw new Error('There is nothing to draw: --svg is for peers.')
  const charts = [...new Set(bars.map(({ chart }) => chart))]
  const labels = [...new Set(bars.map(({ label }) => label))]
  const widthPx = MARGIN_PX * 2 + LABELS_PX + charts.length * COLUMN_PX
  const heightPx = MARGIN_PX * 2 + HEAD_PX + labels.length * ROW_PX + 22
  const topOf = (row: number): number => MARGIN_PX + HEAD_PX + row * ROW_PX
  const isBold = (label: string): string => (label === emphasized ? ' font-weight="bold"' : '')
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${widthPx} ${heightPx}" font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${widthPx}" height="${heightPx}" rx="6" fill="#ffffff"/>`,
    ...labels.map((label, row) => textAt(MARGIN_PX, topOf(row) + 12, label, isBold(label))),
  ]
  for (const [column, chart] of charts.entries()) {
    const leftPx = MARGIN_PX + LABELS_PX + column * COLUMN_PX
    const ofChart = bars.filter((bar) => bar.chart === chart)
    const longest = Math.max(...ofChart.map(({ length }) => length))
    lines.push(textAt(leftPx, MARGIN_PX + 18, chart, ' font-weight="bold"'))
    for (const bar of ofChart) {
      const topPx = topOf(labels.indexOf(bar.label))
      const barPx = Math.max((bar.length / longest) * BAR_MOST_PX, 1).toFixed(1)
      const fill = bar.label === emphasized ? '#07c160' : '#afb8c1'
      lines.push(
        `<rect x="${leftPx}" y="${topPx}" width="${barPx}" height="${BAR_PX}" fill="${fill}"/>`,
        textAt(leftPx + Number(barPx) + 6, topPx + 12, inNumbers(bar), isBold(bar.label)),
      )
    }
  }
  const footer = textAt(MARGIN_PX, heightPx - MARGIN_PX, caption, ' fill="#59636e"')
  return `${[...lines, footer, '</svg>'].join('\n')}\n`
}

function textAt(x: number, y: number, text: string, attributes: string): string {
  return `<text x="${x}" y="${y}"${attributes}>${escaped(text)}</text>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Whole numbers, thousands apart. */
function inNumbers({ length }: Bar): string {
  return Math.round(length).toLocaleString('en')
}
