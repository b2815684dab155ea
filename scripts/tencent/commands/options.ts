/** Options that several commands share. */
import type { CommandOption } from '../framework.ts'

export const regionOption: Record<string, CommandOption> = {
  region: { usage: 'Region of the service', type: 'string', shortcut: 'r' },
}
