/** What the check makes of a text. */
type Suggestion = 'pass' | 'review' | 'risky'

export interface ContentWord {
  word: string
  suggest: Suggestion
  /** WeChat's label: 100 normal, 10001 advertisement, 20001 politics … 21000 other. */
  label: number
}

export type ContentWords = ReturnType<typeof createContentWords>

/** The phrases WeChat once published for trying the check, and two of this simulator's own. */
export const INITIAL_WORDS: readonly ContentWord[] = [
  { word: '特3456书yuuo莞6543李zxcz蒜7782法fgnv级', suggest: 'risky', label: 20006 },
  { word: '完2347全dfji试3726测asad感3847知qwez到', suggest: 'risky', label: 20006 },
  { word: '模拟违规内容', suggest: 'risky', label: 21000 },
  { word: '模拟疑似内容', suggest: 'review', label: 10001 },
]

const GRAVITY: readonly Suggestion[] = ['pass', 'review', 'risky']

export function createContentWords() {
  const words = new Map(INITIAL_WORDS.map((entry) => [entry.word, entry]))
  return {
    /** Adds words, or changes what is made of those already there. */
    set(entries: readonly ContentWord[]): void {
      for (const entry of entries) words.set(entry.word, entry)
    },
    all: (): ContentWord[] => [...words.values()],
    /** Forgets words; those not there are no error. */
    remove(texts: readonly string[]): void {
      for (const text of texts) words.delete(text)
    },
    /** The gravest word found in the text. */
    judge(text: string): ContentWord | undefined {
      let worst: ContentWord | undefined
      for (const entry of words.values()) {
        if (!text.includes(entry.word)) continue
        if (!worst || GRAVITY.indexOf(entry.suggest) > GRAVITY.indexOf(worst.suggest)) worst = entry
      }
      return worst
    },
  }
}
