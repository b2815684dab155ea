/** A function of the offline cloud as it is kept, with its triggers. */

export type Variables = Readonly<Record<string, string>>
export interface Vpc {
  VpcId?: string
  SubnetId?: string
}

export interface StoredFunction {
  region: string
  namespace: string
  name: string
  id: string
  type: 'Event' | 'HTTP'
  runtime: string
  handler: string
  description: string
  memorySize: number
  timeoutSeconds: number
  variables: Variables
  vpc: Vpc
  role: string
  logset: string
  topic: string
  /** Whether it reaches the public network; in a VPC only when it is told so. */
  hasOutsideAccess: boolean
  /** Whether the platform's own lines stay out of its log. */
  ignoresSystemLog: boolean
  tags: Readonly<Record<string, string>>
  /** What the cloud keeps; after a failed update that is already the new package. */
  zip: Buffer
  /** What an invocation runs: after a failed update still the old one (583/37883). */
  running: Buffer
  status: Status
  statusDescription: string
  pollsLeft: number
  modifiedAt: string
  triggers: Trigger[]
  /** Oldest first; each is a copy of code and configuration, without triggers (583/15371). */
  versions: StoredVersion[]
  /** What `$DEFAULT` leads to; it cannot be deleted (583/36149). */
  alias: Alias
}

export type Status =
  | 'Creating'
  | 'Updating'
  | 'Publishing'
  | 'Deleting'
  | 'Active'
  | 'CreateFailed'
  | 'UpdateFailed'
  | 'PublishFailed'
  | 'DeleteFailed'

export interface StoredVersion {
  version: string
  comment: string
  status: Status
  frozen: StoredFunction
}

export interface Alias {
  version: string
  description: string
  /** Another version that gets a part of the calls: 0.1 is a tenth. */
  additional?: { version: string; weight: number }
  /** Calls so far, by which parts are dealt out. */
  calls: number
}

export interface Trigger {
  name: string
  type: string
  description: string
  qualifier: string
  enabled: boolean
  customArgument: string
  /** The trigger's own description; `description` above is its configuration. */
  comment: string
  addedAt: string
  /** How many more ListTriggers do not show it yet. */
  hiddenLists?: number
}
