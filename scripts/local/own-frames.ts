/** A stack as a person wants it: the project's own places, as paths from its folder. */

import path from 'node:path'
import { projectFolder } from '../build/bundle.ts'

const hostFolder = path.join('scripts', 'local')

/** `functions/login/login.ts:12:3` for each frame in the project's own code, innermost first. */
export function ownFrames(frames: readonly string[], folder: string = projectFolder): string[] {
  return frames.flatMap((frame) => {
    const [, file, place] =
      /\(?(?:file:\/\/)?(\/[^()]*?|[A-Z]:\\[^()]*?):(\d+:\d+)\)?$/.exec(frame) ?? []
    if (file === undefined) return []
    const relative = path.relative(folder, file)
    const isOwn = !relative.startsWith('..') && !relative.includes('node_modules')
    return isOwn && !relative.startsWith(hostFolder) ? [`${relative}:${place}`] : []
  })
}
