/** Findings as lines of a terminal: a mark, the sentence in one language or both, what to do below it. */

import { styleText } from 'node:util'
import type { Finding, Severity, Words } from './report.ts'

export type Language = 'zh' | 'en' | 'both'

export interface PrintOptions {
  language: Language
  /** Colours for the marks; off for files and pipes. */
  isColoured: boolean
}

const marks = {
  ok: { sign: '✓', colour: 'green' },
  warning: { sign: '!', colour: 'yellow' },
  error: { sign: '✗', colour: 'red' },
  skipped: { sign: '-', colour: 'gray' },
} as const satisfies Record<Severity, { sign: string; colour: string }>

/** A heading and its findings, worst first. */
export function sectionLines(
  heading: Words,
  findings: readonly Finding[],
  options: PrintOptions,
): string[] {
  const worst: Severity[] = ['error', 'warning', 'ok', 'skipped']
  const sorted = worst.flatMap((each) => findings.filter(({ severity }) => severity === each))
  return [
    '',
    inLanguage(heading, options.language).join(' · '),
    ...sorted.flatMap((finding) => findingLines(finding, options)),
  ]
}

function findingLines(finding: Finding, { language, isColoured }: PrintOptions): string[] {
  const { sign, colour } = marks[finding.severity]
  const mark = isColoured ? styleText(colour, sign) : sign
  const [first, ...others] = inLanguage(finding, language)
  const todo = finding.todo ? inLanguage(finding.todo, language) : []
  return [
    `  ${mark} ${first}`,
    ...others.map((line) => `    ${line}`),
    ...todo.map((line) => `    → ${line}`),
  ]
}

/** How many of each, at the end. */
export function summaryLines(findings: readonly Finding[], options: PrintOptions): string[] {
  const count = (wanted: Severity): number =>
    findings.filter(({ severity }) => severity === wanted).length
  const [errors, warnings] = [count('error'), count('warning')]
  const [good, left] = [count('ok'), count('skipped')]
  const { sign, colour } = marks[errors > 0 ? 'error' : warnings > 0 ? 'warning' : 'ok']
  const [first, ...others] = inLanguage(
    {
      zh: `${errors} 个错误，${warnings} 个警告，${good} 项正常，${left} 项未检查`,
      en: `${plural(errors, 'error')}, ${plural(warnings, 'warning')}, ${good} ok, ${left} not checked`,
    },
    options.language,
  )
  const mark = options.isColoured ? styleText(colour, sign) : sign
  return ['', `${mark} ${first}`, ...others.map((line) => `  ${line}`)]
}

/** One line per language. */
export function inLanguage({ zh, en }: Words, language: Language): string[] {
  if (language === 'both') return zh === en ? [zh] : [zh, en]
  return [language === 'zh' ? zh : en]
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
