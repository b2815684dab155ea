import { serve } from '../../shared/transport/serve.ts'
import { endpoints } from './endpoints.ts'
import { parts } from './parts.ts'

export const main_handler = serve({ functionName: 'submit-score', parts, endpoints })
