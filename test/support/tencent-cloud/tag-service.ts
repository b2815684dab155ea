/** The part of the tag service that puts a tag on a function (cloud.tencent.com/document/api/651/35316). */

import type { FunctionStore } from './functions.ts'
import { Refusal } from './refusal.ts'

/** Its parameters, in the notation of the SDK's declarations. */
export const tagServiceDeclarations = `
export interface CreateTagRequest {
    TagKey: string;
    TagValue: string;
}
export interface AttachResourcesTagRequest {
    ServiceType: string;
    ResourceIds: Array<string>;
    TagKey: string;
    TagValue: string;
    ResourceRegion?: string;
    ResourcePrefix?: string;
}
`

interface AttachParameters {
  ServiceType: string
  ResourceIds: string[]
  TagKey: string
  TagValue: string
  ResourceRegion?: string
  ResourcePrefix?: string
}

export function createTagActions(functions: FunctionStore) {
  const known = new Set<string>()
  return {
    create(_region: string, { TagKey, TagValue }: AttachParameters): object {
      const id = `${TagKey}=${TagValue}`
      if (known.has(id)) throw new Refusal('ResourceInUse.TagDuplicate', '标签已存在。')
      known.add(id)
      return {}
    },
    attach(_region: string, parameters: AttachParameters): object {
      const { ServiceType, ResourceIds, TagKey, TagValue, ResourceRegion, ResourcePrefix } =
        parameters
      if (!known.has(`${TagKey}=${TagValue}`))
        throw new Refusal('ResourceNotFound.TagNonExist', '标签不存在。')
      if (ServiceType !== 'scf' || ResourcePrefix !== 'namespace')
        throw new Refusal('InvalidParameterValue.ResourceId', '资源不符合规范。')
      for (const id of ResourceIds) {
        const [, Namespace = '', FunctionName = ''] = /^([^/]+)\/function\/([^/]+)$/.exec(id) ?? []
        const stored = functions.find(ResourceRegion ?? '', { Namespace, FunctionName })
        if (Object.hasOwn(stored.tags, TagKey))
          throw new Refusal('ResourceInUse.TagKeyAttached', '标签键已关联。')
        stored.tags = { ...stored.tags, [TagKey]: TagValue }
      }
      return {}
    },
  }
}
