/** A VPC and a custom domain, when the options name them. */
import type { ScfModels } from '../cloud/sdk.ts'
import { functionNamed, getFunction } from '../waiting.ts'
import { settled } from './probe-functions.ts'
import { eventFunction } from './removal.ts'
import type { ProbeScene } from './scene.ts'

export interface NetworkOptions {
  vpcId: string
  subnetId: string
  domain: string
  /** Of the account; without it the domain answers over plain HTTP. */
  certificateId: string
}

type Vpc = NonNullable<ScfModels['UpdateFunctionConfiguration']['request']['VpcConfig']>

async function putInto(scene: ProbeScene, vpc: Vpc): Promise<void> {
  const { cloud, tell } = scene
  await cloud.call('UpdateFunctionConfiguration', {
    ...functionNamed(eventFunction, cloud),
    VpcConfig: vpc,
  })
  await settled(cloud, eventFunction, tell)
}

export async function observeVpc(
  scene: ProbeScene,
  { vpcId, subnetId }: NetworkOptions,
): Promise<void> {
  const { cloud, settle, leave, observe, tell } = scene
  if (!vpcId) return leave('vpc-clearing', 'not asked: give --vpc and --subnet')
  await observe(['vpc-clearing'], async () => {
    tell('into the VPC, and out of it')
    const seen = async () => {
      const { VpcConfig, PublicNetConfig } = (await getFunction(cloud, eventFunction)) ?? {}
      const where = VpcConfig?.VpcId ? 'in the VPC' : 'in none'
      return `${where}, outside access ${PublicNetConfig?.PublicNetStatus || 'not told'}`
    }
    await putInto(scene, { VpcId: vpcId, SubnetId: subnetId })
    const inside = await seen()
    await putInto(scene, { VpcId: '', SubnetId: '' })
    settle('vpc-clearing', `with it: ${inside}; after an empty one: ${await seen()}`)
  })
}

export async function observeDomain(
  scene: ProbeScene,
  { domain, certificateId }: NetworkOptions,
): Promise<void> {
  const { cloud, settle, leave, observe, ask, tell } = scene
  if (!domain) return leave('domain-paths', 'not asked: give --domain, and --certificate for HTTPS')
  await observe(['domain-paths'], async () => {
    tell(`routing ${domain}`)
    const route = {
      Namespace: cloud.namespace,
      FunctionName: eventFunction,
      Qualifier: '$DEFAULT',
    }
    await cloud.call('CreateCustomDomain', {
      Domain: domain,
      Protocol: certificateId ? 'HTTPS' : 'HTTP',
      EndpointsConfig: ['/probe', '/probe/*'].map((PathMatch) => ({ ...route, PathMatch })),
      ...(certificateId && { CertConfig: { CertificateId: certificateId } }),
    })
    const paths: string[] = []
    for (const path of ['/probe', '/probe/one', '/probe/one/t%20wo'])
      paths.push(
        `${path} → ${(await ask(new URL(`${certificateId ? 'https' : 'http'}://${domain}${path}`))).echoed.path}`,
      )
    settle('domain-paths', paths.join('; '))
  })
}
