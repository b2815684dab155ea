import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { Sessions } from '../../shared/ports.ts'
import { TokenPairOutput, tokenPairOutput } from './fields.ts'

const message = '刷新令牌（refreshToken）应为字符串'

/** `POST /login/refresh`: a refresh token for the next pair. */
export const refresh = defineEndpoint<{ sessions: Sessions }>()({
  route: 'POST /login/refresh',
  auth: 'none',
  input: v.strictObject({
    refreshToken: v.pipe(
      v.string(message),
      v.nonEmpty(message),
      v.maxLength(256, '刷新令牌（refreshToken）过长'),
    ),
  }),
  output: v.object(TokenPairOutput),
  async handle({ input, needs: { sessions }, facts, security }) {
    return {
      output: tokenPairOutput(await sessions.refresh(input.refreshToken, facts.proof, security)),
    }
  },
})
