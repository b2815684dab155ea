/** What a check reports. Every sentence exists in Chinese and in English, and none holds a variable's value. */

export interface Words {
  zh: string
  en: string
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

export function ok(id: string, words: Words): Finding {
  return { id, severity: 'ok', ...words }
}

export function skipped(id: string, words: Words): Finding {
  return { id, severity: 'skipped', ...words }
}

export function warning(id: string, words: Words, todo: Words): Finding {
  return { id, severity: 'warning', ...words, todo }
}

export function error(id: string, words: Words, todo: Words): Finding {
  return { id, severity: 'error', ...words, todo }
}

/** 1 when something is wrong; warnings alone are 0. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 {
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0
}
