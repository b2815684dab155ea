/** Custom domains of the offline cloud: paths of one domain routed to several functions (583/111926). */
import type { FunctionStore } from './functions.ts'
import { Refusal } from './refusal.ts'

export interface Endpoint {
  Namespace: string
  FunctionName: string
  Qualifier: string
  PathMatch: string
}

export interface Domain {
  Domain: string
  Protocol: string
  EndpointsConfig: Endpoint[]
  CertConfig?: { CertificateId?: string }
  region: string
}

export interface DomainParameters extends Partial<Omit<Domain, 'region'>> {
  Offset?: number
  Limit?: number
}

/** The endpoint a path reaches: an exact match first, then the longest wildcard. */
export function endpointFor(domain: Domain, path: string): Endpoint | undefined {
  const exact = domain.EndpointsConfig.find(({ PathMatch }) => PathMatch === path)
  if (exact) return exact
  return domain.EndpointsConfig.filter(
    ({ PathMatch }) => PathMatch.endsWith('/*') && path.startsWith(PathMatch.slice(0, -1)),
  ).sort((left, right) => right.PathMatch.length - left.PathMatch.length)[0]
}

/** `hasCname`: whether the domain leads to the platform (583/64369); asked at each creation. */
export function createDomainActions(
  functions: FunctionStore,
  hasCname: (domain: string) => boolean,
) {
  const domains = new Map<string, Domain>()

  const check = (domain: Domain): Domain => {
    if (!['HTTP', 'HTTPS', 'HTTP&HTTPS'].includes(domain.Protocol))
      throw new Refusal('InvalidParameterValue.Protocol', `协议 ${domain.Protocol} 不支持。`)
    if (domain.Protocol !== 'HTTP' && !domain.CertConfig?.CertificateId)
      throw new Refusal('InvalidParameterValue.CertConfig', 'HTTPS 协议必须传入证书。')
    const seen = new Set<string>()
    for (const { PathMatch, FunctionName, Namespace } of domain.EndpointsConfig) {
      if (!/^\/(\*|[\w.~-]+(\/[\w.~-]+)*(\/\*)?)?$/.test(PathMatch) || seen.has(PathMatch))
        throw new Refusal('InvalidParameterValue.PathMatch', `路径 ${PathMatch} 不符合规范或重复。`)
      seen.add(PathMatch)
      functions.find(domain.region, { FunctionName, Namespace })
    }
    return domain
  }

  const find = (name = ''): Domain => {
    const found = domains.get(name)
    if (!found) throw new Refusal('ResourceNotFound.CustomDomain', `自定义域名 ${name} 不存在。`)
    return found
  }

  return {
    byName: (name: string): Domain | undefined => domains.get(name),
    all: (): Domain[] => [...domains.values()],

    create(
      region: string,
      { Domain: name = '', Protocol = '', ...rest }: DomainParameters,
    ): object {
      if (domains.has(name))
        throw new Refusal('ResourceInUse.CustomDomain', `自定义域名 ${name} 已存在。`)
      if (!hasCname(name))
        throw new Refusal('FailedOperation.CNAME', `域名 ${name} 没有解析到指定的 CNAME。`)
      domains.set(
        name,
        check({ Domain: name, Protocol, EndpointsConfig: [], ...rest, region } as Domain),
      )
      return {}
    },
    update(_region: string, parameters: DomainParameters): object {
      domains.set(
        parameters.Domain ?? '',
        check({ ...find(parameters.Domain), ...parameters } as Domain),
      )
      return {}
    },
    delete(_region: string, parameters: DomainParameters): object {
      domains.delete(find(parameters.Domain).Domain)
      return {}
    },
    list(region: string, { Offset = 0, Limit = 20 }: DomainParameters): object {
      const here = [...domains.values()].filter((domain) => domain.region === region)
      return {
        Total: here.length,
        Domains: here.slice(Offset, Offset + Limit).map(({ region: _region, ...domain }) => domain),
      }
    },
  }
}
