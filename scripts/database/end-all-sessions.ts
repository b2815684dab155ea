import type { SessionEnding } from '../../shared/store/sessions.ts'

/** How many sessions, and of how many people. */
export interface EndedSessions {
  sessions: number
  people: number
}

/** Ends, or only counts, all sessions that began by `nowMs`, some hundred people at a time. */
export async function endAllSessions(
  ending: SessionEnding,
  {
    nowMs,
    isDryRun,
    onProgress,
  }: { nowMs: number; isDryRun: boolean; onProgress: (done: EndedSessions) => void },
): Promise<EndedSessions> {
  const done = { sessions: 0, people: 0 }
  let page = await ending.next(nowMs)
  while (page) {
    if (!isDryRun) await ending.end(page, nowMs)
    done.sessions += page.sessions
    done.people += page.people
    onProgress(done)
    page = await ending.next(nowMs, page)
  }
  return done
}
