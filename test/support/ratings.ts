/** A rating as a client sends it, with what a test changes. */
export function rating(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    acc_nbr: '13800138000',
    grade1: 5,
    grade2: 4,
    grade3: 3,
    txt1: '很好',
    txt2: '',
    txt3: '谢谢 😀',
    ...changes,
  }
}

/** The body of the article's `wx.request`: every value through JSON.stringify, form-encoded. */
export function articleForm(values: Record<string, unknown>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`)
    .join('&')
}
