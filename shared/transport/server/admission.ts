/**
 * How many requests are worked on at once: as many as the store and the processor answer without making each other
 * wait. More wait a little in a short queue; beyond that they are turned away at once, because an answer that comes too
 * late is work for nothing.
 *
 * What a request takes when hardly anything else is worked on is known from such moments, and measured anew now and
 * then. The number inside follows from what requests take now: at the same throughput the time inside grows with it
 * (Little's law), so it is scaled by how far that time is from what is allowed.
 */

import { steadyMs } from '../../wiring/clock.ts'

/** Between what the number of requests moves, and how long others wait. */
export interface AdmissionLimits {
  /** Requests worked on at the same time at the least: as many as the store has connections. */
  concurrentLeast: number
  /** Requests worked on at the same time at the most. */
  concurrentMost: number
  /** Requests waiting for their turn at the most; as a rule, as many as have theirs soon. */
  queuedMost: number
  /** Milliseconds a request waits at most. */
  queueWaitMs: number
}

/**
 * To be called once when the work is done; with the kind of request when it was answered well, so that what it took
 * is compared with what such requests take.
 */
export type Leave = (kind?: string) => void

/** How busy a server is. */
export interface AdmissionLoad {
  inside: number
  waiting: number
  insideMost: number
}

/** What keeps a server from ever being overfull. */
export interface Admission {
  /** Whether a request that has just come would be let in, or wait. */
  hasRoom(): boolean
  /** Lets a request in, at once or in its turn; `undefined`: too busy. */
  enter(): Leave | Promise<Leave | undefined>
  /** Requests inside and waiting, and how many may be inside. */
  load(): AdmissionLoad
}

/** Milliseconds that a request may take longer than in a quiet moment, and beside them this part of that time. */
const SLACK_MS = 40
const SLACK_PART = 0.2
/** Milliseconds that the queue is meant to take. */
const QUEUE_MS = 60
/** The number inside is looked at after so many answers and milliseconds, and changes by no more than these factors. */
const WINDOW_ANSWERS = 10
const WINDOW_MS = 100
const SHRINK = 0.7
const GROW = 1.5
/** How much of what is known of quiet moments the newest one is. */
const NEWEST_PART = 0.2
/**
 * So many milliseconds of one turn of the event loop may go by until whoever else comes in it waits for the next: while
 * a turn lasts nobody is heard, and one connection is accepted in each.
 */
const TURN_MS = 5
/** The first requests of all connect to the store: as long as nothing is known others wait for that. */
const FIRST_WAIT_MS = 1000
/** Without a quiet moment for so long, one is made. */
const QUIET_EVERY_MS = 30_000

/** An admission with nobody inside. */
export function createAdmission(
  { concurrentLeast, concurrentMost, queuedMost, queueWaitMs }: AdmissionLimits,
  now: () => number = steadyMs,
): Admission {
  let active = 0
  let limit = concurrentLeast
  /** While a quiet moment is made, no more than `concurrentLeast` are let in. */
  let isQuieting = true
  let quietAtMs = now()
  let queueLength = queuedMost
  /** What a kind of request takes in quiet moments. */
  const quietMs = new Map<string, number>()
  let window = newWindow(now())
  /** In order of arrival; a call lets one in. */
  const waiting = new Set<() => void>()

  let turnStartMs: number | undefined
  const beginTurn = (): void => {
    if (turnStartMs !== undefined) return
    turnStartMs = now()
    setImmediate(() => {
      turnStartMs = undefined
      // Not all at once: what they do before they wait for anything else is one turn again.
      admitWaiting(concurrentLeast)
    })
  }

  /** Whether one more may be let in now. */
  const isFree = (): boolean => {
    if (active >= (isQuieting ? concurrentLeast : limit)) return false
    beginTurn()
    return now() - (turnStartMs ?? 0) <= TURN_MS
  }

  const admitWaiting = (most: number): void => {
    for (const admit of waiting) {
      if (most-- === 0 || !isFree()) return
      admit()
    }
  }

  const enterNow = (): Leave => {
    active++
    const enteredAtMs = now()
    const cameQuietly = active <= concurrentLeast
    if (active > window.mostActive) window.mostActive = active
    return (kind) => {
      const isQuiet = cameQuietly && active <= concurrentLeast
      active--
      if (kind !== undefined) measure(kind, now() - enteredAtMs, isQuiet)
      admitWaiting(1)
    }
  }

  const measure = (kind: string, tookMs: number, isQuiet: boolean): void => {
    const known = quietMs.get(kind) ?? tookMs
    if (isQuiet) {
      quietMs.set(kind, known + NEWEST_PART * (tookMs - known))
      quietAtMs = now()
      window.quiet++
    }
    window.answers++
    window.tookMs += tookMs
    window.quietMs += known
    if (window.answers >= WINDOW_ANSWERS && now() - window.startMs >= WINDOW_MS) adjust()
  }

  const adjust = (): void => {
    const atMs = now()
    if (isQuieting) {
      if (window.quiet < concurrentLeast) return
      isQuieting = false
    } else {
      const tookMs = window.tookMs / window.answers
      const allowedMs = (window.quietMs / window.answers) * (1 + SLACK_PART) + SLACK_MS
      if (window.isFull || tookMs > allowedMs) {
        const factor = Math.min(Math.max(allowedMs / tookMs, SHRINK), GROW)
        limit = Math.min(Math.max(Math.floor(limit * factor), concurrentLeast), concurrentMost)
      }
      const atOnce = window.isFull ? window.mostActive : limit
      queueLength = Math.min(Math.ceil((atOnce * QUEUE_MS) / tookMs), queuedMost)
      isQuieting = atMs - quietAtMs > QUIET_EVERY_MS
    }
    window = newWindow(atMs)
  }

  return {
    hasRoom: () => waiting.size < queueLength || (waiting.size === 0 && isFree()),
    enter() {
      if (waiting.size === 0 && isFree()) return enterNow()
      window.isFull = true
      if (waiting.size >= queueLength) return Promise.resolve(undefined)
      return new Promise((resolve) => {
        const admit = (): void => {
          clearTimeout(timer)
          waiting.delete(admit)
          resolve(enterNow())
        }
        const giveUp = (): void => {
          waiting.delete(admit)
          resolve(undefined)
        }
        const timer = setTimeout(
          giveUp,
          quietMs.size === 0 ? Math.max(queueWaitMs, FIRST_WAIT_MS) : queueWaitMs,
        )
        waiting.add(admit)
      })
    },
    load: () => ({ inside: active, waiting: waiting.size, insideMost: limit }),
  }
}

/** What was measured since the number inside was last looked at. */
interface Window {
  startMs: number
  answers: number
  /** Answers in quiet moments. */
  quiet: number
  /** What the answers took together, and what they would have taken in quiet moments. */
  tookMs: number
  quietMs: number
  mostActive: number
  /** Whether somebody had to wait. */
  isFull: boolean
}

function newWindow(startMs: number): Window {
  return { startMs, answers: 0, quiet: 0, tookMs: 0, quietMs: 0, mostActive: 1, isFull: false }
}
