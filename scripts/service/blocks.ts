/** The parts of serverless.yml, resolved by the framework, that the provider's schema lets in. */

interface HttpTrigger {
  http: { paths?: string[] }
}
interface TimerTrigger {
  timer: {
    name?: string
    parameters: { cronExpression: string; enable?: boolean; argument?: string }
  }
}
export interface SharedSettings {
  runtime?: string
  memorySize?: number
  timeout?: number
  environment?: Record<string, unknown>
  vpcConfig?: { vpcId?: string | null; subnetId?: string | null }
  role?: string | null
  cls?: { logsetId?: string | null; topicId?: string | null }
}

export interface FunctionBlock extends SharedSettings {
  name: string
  handler?: string
  type?: 'event' | 'web'
  description?: string
  events: (HttpTrigger | TimerTrigger)[]
  package?: { artifact?: string }
}

export interface ProviderBlock extends SharedSettings {
  name: string
  stage: string
  region?: string
  namespace?: string
  watching?: { logRetentionDays?: string | number | null; alarmNoticeId?: string | null }
  customDomain?: {
    domain?: string | null
    protocol?: 'HTTP' | 'HTTPS' | 'HTTP&HTTPS'
    certificateId?: string | null
  }
}
