/** Options that the local commands share. */
import { type EventProfile, eventProfiles } from '../../local/events.ts'
import type { CliOptions, CommandOption } from '../framework.ts'
import { DeployProblem } from '../problem.ts'
import { textOption } from './context.ts'

export const inspectOption: CommandOption = {
  usage: 'Let a debugger attach, on this port or 9229',
  type: 'string',
}
export const profileOption: CommandOption = {
  usage: `The HTTP trigger whose events to make: ${eventProfiles.join(', ')}`,
  type: 'string',
}
export const platformLogOption: CommandOption = {
  usage: 'Print what the platform would log as well, the return value included',
  type: 'boolean',
}

const defaultInspectPort = 9229

/** The port of `--inspect`, if it was given. */
export function inspectPortOf(options: CliOptions): number | undefined {
  const value = options.inspect
  if (value === undefined || value === null || value === false) return undefined
  if (value === true || value === '') return defaultInspectPort
  const port = Number(value)
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port
  throw new DeployProblem(`--inspect takes a port number, not "${String(value)}".`)
}

/** The profile of `--profile`, if it was given. */
export function profileOf(options: CliOptions): EventProfile | undefined {
  const value = textOption(options, 'profile')
  const known = eventProfiles.find((profile) => profile === value)
  if (value !== undefined && known === undefined)
    throw new DeployProblem(`--profile is one of ${eventProfiles.join(', ')}, not "${value}".`)
  return known
}
