/** Triggers of the offline cloud: Function URLs (583/100227) and timers (583/9708). */
import { randomBytes } from 'node:crypto'
import type { FunctionStore } from './functions.ts'
import { Refusal } from './refusal.ts'
import { runnable } from './runnable.ts'
import type { Trigger } from './stored-function.ts'

export interface TriggerParameters {
  FunctionName: string
  Namespace?: string
  TriggerName?: string
  Type?: string
  TriggerDesc?: string
  Qualifier?: string
  Enable?: string
  CustomArgument?: string
  Description?: string
  Offset?: number
  Limit?: number
}

/** The address inside a Function URL's description, or `undefined` for another trigger. */
export function urlOf(trigger: Trigger): string | undefined {
  return trigger.type === 'http' ? JSON.parse(trigger.description).NetConfig.ExtranetUrl : undefined
}

function shown(trigger: Trigger): object {
  return {
    TriggerName: trigger.name,
    Type: trigger.type,
    TriggerDesc: trigger.description,
    Qualifier: trigger.qualifier,
    Enable: trigger.enabled ? 1 : 0,
    CustomArgument: trigger.customArgument,
    Description: trigger.comment,
    AvailableStatus: 'Available',
    AddTime: trigger.addedAt,
    ModTime: trigger.addedAt,
  }
}

function functionUrl(parameters: TriggerParameters, region: string, appId: string): string {
  const invalid = (): never => {
    throw new Refusal('InvalidParameterValue.TriggerDesc', '函数 URL 的配置不符合规范。')
  }
  const wanted: unknown = (() => {
    try {
      return JSON.parse(parameters.TriggerDesc ?? '')
    } catch {
      return invalid()
    }
  })()
  const { AuthType, NetConfig, ...rest } = wanted as {
    AuthType?: string
    NetConfig?: { EnableIntranet?: unknown; EnableExtranet?: unknown }
  }
  if (AuthType !== 'NONE' && AuthType !== 'CAM') invalid()
  if (typeof NetConfig?.EnableExtranet !== 'boolean') invalid()
  const others = { CorsConfig: 'object', ApiGwCompatible: 'boolean', EnableSimpleMode: 'boolean' }
  const isKnown = ([key, value]: [string, unknown]): boolean =>
    typeof value === others[key as keyof typeof others]
  if (!Object.entries(rest).every(isKnown)) invalid()
  const host = `${appId}-${randomBytes(5).toString('hex')}.${region}.tencentscf.com`
  return JSON.stringify({
    AuthType,
    ...rest,
    NetConfig: { ...NetConfig, IntranetUrl: '', ExtranetUrl: `https://${host}` },
  })
}

function timer(parameters: TriggerParameters): string {
  const cron = parameters.TriggerDesc ?? ''
  if (cron.trim().split(/\s+/).length !== 7)
    throw new Refusal('InvalidParameterValue.TriggerCronConfig', `Cron 表达式 ${cron} 不符合规范。`)
  return JSON.stringify({ cron })
}

/** `urlHiddenLists`: how many times a new Function URL is not listed yet. */
export function createTriggerActions(
  functions: FunctionStore,
  { appId, urlHiddenLists }: { appId: string; urlHiddenLists: number },
) {
  return {
    create(region: string, parameters: TriggerParameters): object {
      const stored = functions.mustBeActive(functions.find(region, parameters))
      const { TriggerName = '', Type = '', Qualifier = '$LATEST' } = parameters
      runnable(stored, Qualifier)
      if (!['http', 'timer'].includes(Type))
        throw new Refusal('InvalidParameterValue.Type', `触发器类型 ${Type} 不支持。`)
      if (
        stored.triggers.some(
          (other) =>
            (other.name === TriggerName && other.type === Type) ||
            (Type === 'http' && other.type === 'http' && other.qualifier === Qualifier),
        )
      )
        throw new Refusal('ResourceInUse.Trigger', `触发器 ${TriggerName} 已存在。`)
      const trigger: Trigger = {
        name: TriggerName,
        type: Type,
        description: Type === 'http' ? functionUrl(parameters, region, appId) : timer(parameters),
        qualifier: Qualifier,
        enabled: parameters.Enable !== 'CLOSE',
        customArgument: parameters.CustomArgument ?? '',
        comment: parameters.Description ?? '',
        addedAt: new Date().toISOString(),
        ...(Type === 'http' && { hiddenLists: urlHiddenLists }),
      }
      stored.triggers.push(trigger)
      const info = shown(trigger)
      // Not told before it is listed.
      return { TriggerInfo: trigger.hiddenLists ? { ...info, TriggerDesc: '' } : info }
    },

    list(region: string, parameters: TriggerParameters): object {
      const { triggers: all } = functions.find(region, parameters)
      const triggers = all.filter(({ hiddenLists = 0 }) => hiddenLists === 0)
      for (const trigger of all) if (trigger.hiddenLists) trigger.hiddenLists -= 1
      const offset = parameters.Offset ?? 0
      return {
        TotalCount: triggers.length,
        Triggers: triggers.slice(offset, offset + (parameters.Limit ?? 20)).map(shown),
      }
    },

    /** A Function URL cannot be updated (reported of the real cloud); a timer can. */
    update(region: string, parameters: TriggerParameters): object {
      const stored = functions.mustBeActive(functions.find(region, parameters))
      const found = stored.triggers.find(
        ({ name, type }) => name === parameters.TriggerName && type === parameters.Type,
      )
      if (!found) throw new Refusal('ResourceNotFound.Trigger', '触发器不存在。')
      if (found.type === 'http')
        throw new Refusal('UnsupportedOperation.TriggerAction', '该类型触发器不支持修改。')
      if (parameters.TriggerDesc !== undefined) found.description = timer(parameters)
      if (parameters.Enable !== undefined) found.enabled = parameters.Enable === 'OPEN'
      if (parameters.CustomArgument !== undefined) found.customArgument = parameters.CustomArgument
      return {}
    },

    delete(region: string, parameters: TriggerParameters): object {
      const stored = functions.mustBeActive(functions.find(region, parameters))
      const index = stored.triggers.findIndex(
        ({ name, type, qualifier }) =>
          name === parameters.TriggerName &&
          type === parameters.Type &&
          qualifier === (parameters.Qualifier ?? '$LATEST'),
      )
      if (index === -1) throw new Refusal('ResourceNotFound.Trigger', '触发器不存在。')
      stored.triggers.splice(index, 1)
      return {}
    },
  }
}
