import type { LogEvent, Logger } from '../../ports.ts'

/** A log for what may happen thousands of times a second. */
export interface SampledLog {
  /** Writes the first of its kind (event and code) at once, and how many there were since once a second. */
  write(line: LogEvent): void
  /** Writes what is still to be told. */
  flush(): void
}

const EVERY_MS = 1000

interface Sample {
  line: LogEvent
  untold: number
}

/** Writes to `log`, with a `count` in each line. */
export function createSampledLog(log: Logger): SampledLog {
  const samples = new Map<string, Sample>()

  const tell = (sample: Sample): void => {
    if (sample.untold > 0) log.write({ ...sample.line, count: sample.untold })
    sample.untold = 0
  }

  const tellLater = (kind: string, sample: Sample): void => {
    setTimeout(() => {
      if (sample.untold === 0) samples.delete(kind)
      else tellLater(kind, sample)
      tell(sample)
    }, EVERY_MS).unref()
  }

  return {
    write(line) {
      const kind = `${line.event} ${line.code}`
      const known = samples.get(kind)
      if (known) {
        known.untold++
        return
      }
      const sample = { line, untold: 1 }
      samples.set(kind, sample)
      tell(sample)
      tellLater(kind, sample)
    },
    flush() {
      for (const sample of samples.values()) tell(sample)
    },
  }
}
