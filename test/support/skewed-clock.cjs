// Loaded before a function's bundle: its clock is CLOCK_SKEW_MS off, and jumps an hour ahead and back at SIGUSR2.
const RealDate = Date
const HOUR_MS = 3_600_000
let skewMs = Number(process.env.CLOCK_SKEW_MS ?? 0)
let isAhead = false

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + skewMs)
    else super(...parts)
  }

  static now() {
    return RealDate.now() + skewMs
  }
}

process.on('SIGUSR2', () => {
  skewMs += isAhead ? -HOUR_MS : HOUR_MS
  isAhead = !isAhead
  console.log(isAhead ? 'an hour ahead' : 'back in time')
})
