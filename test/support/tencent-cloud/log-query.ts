/** The part of CQL (cloud.tencent.com/document/product/614/47044) that deploys and tests use. */
import { Refusal } from './refusal.ts'

/** Takes `field:"value"` terms and bare "texts" joined by AND, and groups of them in brackets joined by OR. */
export function matcher(query: string): (fields: Record<string, string>) => boolean {
  const [, head = '', group, tail = ''] = /^(.*?)\(([^()]*)\)(.*)$/s.exec(query) ?? []
  if (group !== undefined) {
    const rest = matcher(
      [head, tail]
        .map((each) => each.replace(/^ AND | AND $/g, ''))
        .filter(Boolean)
        .join(' AND '),
    )
    const choices = group.split(' OR ').map(matcher)
    return (fields) => rest(fields) && choices.some((matches) => matches(fields))
  }
  if (query.trim() === '' || query.trim() === '*') return () => true
  const terms = query.split(/ AND /i).map((term) => {
    const parts = /^\s*(?:(\w+):)?"((?:[^"\\]|\\.)*)"\s*$/.exec(term)
    if (!parts) throw new Refusal('FailedOperation.SyntaxError', `检索语句有误: ${term}`)
    return { field: parts[1], text: (parts[2] ?? '').replace(/\\(.)/g, '$1') }
  })
  return (fields) =>
    terms.every(({ field, text }) =>
      field ? fields[field] === text : Object.values(fields).some((value) => value.includes(text)),
    )
}
