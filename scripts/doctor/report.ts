/** What a check reports. Every sentence exists in Chinese and in English, and none holds a variable's value. */

export interface Words {
  zh: string
  en: string
}

/** What is the matter, and what to do about it. */
export interface Reason extends Words {
  todo: Words
}

/** `skipped`: not looked at, and why; it is neither good nor bad news. */
export type Severity = 'ok' | 'warning' | 'error' | 'skipped'

export interface Finding extends Words {
  /** `subject.detail`, fit for scripts: `configuration.TOKEN_KEYS`, `wechat.40164`. */
  id: string
  severity: Severity
  /** What to do about it; a warning and an error always say. */
  todo?: Words
}

type Template<Result> = (texts: TemplateStringsArray, ...values: (string | number)[]) => Result

/** The lines of a template without their indentation; what stands in a value makes no lines. */
function linesOf(texts: TemplateStringsArray, values: readonly (string | number)[]): string[] {
  let used = 0
  const lines = texts.join('\0').trim().split(/\n\s*/)
  return lines.map((line) => line.replaceAll('\0', () => String(values[used++])))
}

/** Four lines: what is the matter in Chinese and in English, and what to do in Chinese and in English. */
export const reason: Template<Reason> = (texts, ...values) => {
  const [zh = '', en = '', todoZh = '', todoEn = ''] = linesOf(texts, values)
  return { zh, en, todo: { zh: todoZh, en: todoEn } }
}

function good(severity: 'ok' | 'skipped') {
  return (id: string): Template<Finding> =>
    (texts, ...values) => {
      const [zh = '', en = ''] = linesOf(texts, values)
      return { id, severity, zh, en }
    }
}

function bad(severity: 'warning' | 'error') {
  return (id: string): Template<Finding> =>
    (texts, ...values) => ({ id, severity, ...reason(texts, ...values) })
}

/** Findings to be followed by a template of two lines, the sentence in Chinese and in English; more are left out. */
export const ok = good('ok')
export const skipped = good('skipped')
/** Findings to be followed by a template of four lines, as for `reason`. */
export const warning = bad('warning')
export const error = bad('error')

/** 1 when something is wrong; warnings alone are 0. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 {
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0
}
