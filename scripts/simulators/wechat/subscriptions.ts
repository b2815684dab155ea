/** A kind of subscribe message, as the owner of a mini program chose it: `keys` such as `thing1`, `time2`. */
export interface MessageTemplate {
  templateId: string
  keys: readonly string[]
}

/** A message as the person got it. */
export interface SentMessage {
  /** ISO 8601, by the simulator's clock. */
  time: string
  openid: string
  templateId: string
  page: string | null
  /** Texts by key. */
  data: Record<string, string>
}

const MOST_SENT = 1000

export type Subscriptions = ReturnType<typeof createSubscriptions>

/** Templates of one mini program, what people agreed to get, and what they got. */
export function createSubscriptions() {
  const templates = new Map<string, MessageTemplate>()
  const agreed = new Map<string, number>()
  let sent: SentMessage[] = []
  const of = (openid: string, templateId: string) => `${openid} ${templateId}`
  return {
    templates,
    /** The person taps 允许 so many times more: each tap is one message. */
    agree(openid: string, templateId: string, times: number): number {
      const left = (agreed.get(of(openid, templateId)) ?? 0) + times
      agreed.set(of(openid, templateId), left)
      return left
    },
    left: (openid: string, templateId: string): number => agreed.get(of(openid, templateId)) ?? 0,
    /** Delivers a message and uses up one agreement. */
    deliver(message: SentMessage): void {
      const { openid, templateId } = message
      agreed.set(of(openid, templateId), (agreed.get(of(openid, templateId)) ?? 0) - 1)
      sent = [...sent.slice(-MOST_SENT + 1), message]
    },
    /** Oldest first. */
    sent: (): readonly SentMessage[] => sent,
  }
}
