/**
 * What may stand in serverless.yml under `provider: tencent`: the framework refuses every other key with its name. The
 * words are those of the earlier Tencent plugin where it had one.
 */

const variableName = '^(?!variables$)[A-Za-z][A-Za-z0-9_]*$'
const flatEnvironment = { [variableName]: { type: 'string' } }

function objectOf(properties: Record<string, object>, required: string[] = []): object {
  return {
    type: 'object',
    properties,
    required,
    additionalProperties: false,
  }
}

const shared: Record<string, object> = {
  runtime: { type: 'string', pattern: '^Nodejs\\d+\\.\\d+$' },
  memorySize: { type: 'integer' },
  timeout: { type: 'integer' },
  environment: {
    type: 'object',
    properties: {
      variables: {
        type: 'object',
        patternProperties: flatEnvironment,
        additionalProperties: false,
      },
    },
    patternProperties: flatEnvironment,
    additionalProperties: false,
  },
  vpcConfig: objectOf({ vpcId: { type: 'string' }, subnetId: { type: 'string' } }),
  role: { type: 'string' },
  cls: objectOf({ logsetId: { type: 'string' }, topicId: { type: 'string' } }),
}

const routePattern = '^/(\\*|[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*(/\\*)?)?$'

/** For `defineProvider`. */
export const providerSchema: object = {
  provider: {
    properties: {
      ...shared,
      region: { type: 'string', pattern: '^[a-z]{2}-[a-z]+(-[0-9])?$' },
      namespace: { type: 'string' },
      watching: objectOf({
        logRetentionDays: { anyOf: [{ type: 'integer' }, { type: 'string' }] },
        alarmNoticeId: { type: 'string' },
      }),
      customDomain: objectOf({
        domain: { type: 'string' },
        protocol: { enum: ['HTTP', 'HTTPS', 'HTTP&HTTPS'] },
        certificateId: { type: 'string' },
      }),
    },
  },
  function: {
    properties: {
      ...shared,
      handler: { type: 'string' },
      type: { enum: ['event', 'web'] },
      description: { type: 'string' },
    },
  },
}

/** For `defineFunctionEvent`: a Function URL with the paths it serves on a custom domain, and a timer. */
export const eventSchemas: Readonly<Record<string, object>> = {
  http: objectOf({ paths: { type: 'array', items: { type: 'string', pattern: routePattern } } }),
  timer: objectOf(
    {
      name: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,100}$' },
      parameters: objectOf(
        {
          cronExpression: { type: 'string' },
          enable: { type: 'boolean' },
          argument: { type: 'string' },
        },
        ['cronExpression'],
      ),
    },
    ['parameters'],
  ),
}
