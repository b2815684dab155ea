/**
 * Versions of the offline cloud and its one alias, `$DEFAULT` (cloud.tencent.com/document/product/583/15371, 36149): a
 * version is a frozen copy of code and configuration; triggers hang on the alias.
 */
import type { FunctionStore } from './functions.ts'
import { Refusal } from './refusal.ts'
import { versionOf } from './runnable.ts'

interface VersionParameters {
  FunctionName: string
  Namespace?: string
  Description?: string
  Offset?: number
  Limit?: number
  Order?: string
  OrderBy?: string
}

interface AliasParameters {
  FunctionName: string
  Namespace?: string
  Name: string
  FunctionVersion?: string
  Description?: string
  RoutingConfig?: { AdditionalVersionWeights?: { Version?: string; Weight?: number }[] }
}

const commentPattern = /^[A-Za-z0-9\s,.\u4e00-\u9fff]{0,1000}$/

function checkComment(comment = ''): string {
  if (!commentPattern.test(comment))
    throw new Refusal('InvalidParameterValue.Description', '描述包含不支持的字符或过长。')
  return comment
}

export function createVersionActions(functions: FunctionStore) {
  return {
    publish(region: string, parameters: VersionParameters): object {
      const stored = functions.mustBeActive(functions.find(region, parameters))
      if (stored.status === 'UpdateFailed')
        throw new Refusal('FailedOperation.FunctionStatusError', '函数更新失败,无法发布版本。')
      const version = String(stored.versions.length + 1)
      const comment = checkComment(parameters.Description)
      const frozen = { ...stored, versions: [] }
      stored.versions.push({ version, comment, status: 'Publishing', frozen })
      functions.startPhase(stored, 'Publishing')
      return { FunctionVersion: version }
    },

    list(region: string, parameters: VersionParameters): object {
      const stored = functions.find(region, parameters)
      const { Offset = 0, Limit = 20, Order = 'ASC' } = parameters
      const latest = { Version: '$LATEST', Description: '', Status: stored.status }
      const all = [
        ...stored.versions.map(({ version, comment, status }) => ({
          Version: version,
          Description: comment,
          Status: status,
        })),
        latest,
      ]
      if (Order === 'DESC') all.reverse()
      const page = all.slice(Offset, Offset + Limit)
      return {
        TotalCount: all.length,
        FunctionVersion: page.map(({ Version }) => Version),
        Versions: page,
      }
    },

    getAlias(region: string, parameters: AliasParameters): object {
      const { alias } = functions.find(region, parameters)
      if (parameters.Name !== '$DEFAULT')
        throw new Refusal('ResourceNotFound.Alias', `别名 ${parameters.Name} 不存在。`)
      const { version, description, additional } = alias
      return {
        Name: '$DEFAULT',
        FunctionVersion: version,
        Description: description,
        RoutingConfig: {
          AdditionalVersionWeights: additional
            ? [{ Version: additional.version, Weight: additional.weight }]
            : [],
        },
      }
    },

    updateAlias(region: string, parameters: AliasParameters): object {
      const stored = functions.mustBeActive(functions.find(region, parameters))
      const { Name, FunctionVersion = '', Description, RoutingConfig } = parameters
      if (Name !== '$DEFAULT') throw new Refusal('ResourceNotFound.Alias', `别名 ${Name} 不存在。`)
      const mustRun = (name: string): void => {
        if (name !== '$LATEST' && versionOf(stored, name).status !== 'Active')
          throw new Refusal('FailedOperation.FunctionStatusError', `版本 ${name} 不可用。`)
      }
      mustRun(FunctionVersion)
      const [more, second] = RoutingConfig?.AdditionalVersionWeights ?? []
      const { Version = '', Weight = 0 } = more ?? {}
      if (second || (more && (Version === FunctionVersion || Weight < 0 || Weight > 1)))
        throw new Refusal('InvalidParameterValue.RoutingConfig', '别名的路由配置不符合规范。')
      if (more) mustRun(Version)
      stored.alias = {
        version: FunctionVersion,
        description: checkComment(Description ?? stored.alias.description),
        calls: 0,
        ...(more && { additional: { version: Version, weight: Weight } }),
      }
      return {}
    },
  }
}
