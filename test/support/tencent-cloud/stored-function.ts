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
  zip: Buffer
  status: 'Creating' | 'Updating' | 'Active' | 'CreateFailed' | 'UpdateFailed'
  statusDescription: string
  pollsLeft: number
  modifiedAt: string
  triggers: Trigger[]
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
}
