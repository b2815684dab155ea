/** Admissions as they should not be: so many at once and so many waiting, whatever the store can do. */

import type { Admission } from '../../shared/transport/server/admission.ts'

export const brokenAdmissions = {
  'two hundred get in at once': () => fixedAdmission({ atOnce: 200, waiting: 200 }),
  'everybody may wait': () => fixedAdmission({ atOnce: 4, waiting: Number.POSITIVE_INFINITY }),
}

export type BrokenAdmission = keyof typeof brokenAdmissions

/** Lets in `atOnce`, has a line of `waiting`, and asks nobody how long it took. */
export function fixedAdmission({
  atOnce,
  waiting,
}: {
  atOnce: number
  waiting: number
}): Admission {
  let active = 0
  const line: (() => void)[] = []
  const leave = (): void => {
    const next = line.shift()
    if (next) next()
    else active--
  }
  return {
    hasRoom: () => active < atOnce || line.length < waiting,
    enter() {
      if (active >= atOnce) return new Promise((resolve) => line.push(() => resolve(leave)))
      active++
      return leave
    },
    load: () => ({ inside: active, waiting: line.length, insideMost: atOnce }),
  }
}
