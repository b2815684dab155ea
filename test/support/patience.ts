/** How long `expect.poll` waits, ms: the machines of CI are slow ones, and what is waited for comes in the end. */
export const poll = { timeout: 20_000 }
