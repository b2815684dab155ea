/** Versions, the alias and the code's digest, which a deploy and a rollback rest on. */
import { CloudFailure } from '../cloud/failure.ts'
import { liveAlias, publishVersion } from '../releases.ts'
import { functionNamed, getFunction } from '../waiting.ts'
import { digestInWords, type EventUrls } from './event-calls.ts'
import { type EchoPackage, packEcho, settled } from './probe-functions.ts'
import { eventFunction } from './removal.ts'
import type { ProbeScene } from './scene.ts'

const DESCRIPTION = '1 since 20260101T000000Z, 0 since 20250101T000000Z'

async function upload(scene: ProbeScene, { zip }: EchoPackage): Promise<string> {
  const { cloud, tell } = scene
  await cloud.call('UpdateFunctionCode', {
    ...functionNamed(eventFunction, cloud),
    Handler: 'index.main_handler',
    ZipFile: zip.toString('base64'),
    CodeSource: 'ZipFile',
  })
  await settled(cloud, eventFunction, tell)
  const address = await cloud.call('GetFunctionAddress', functionNamed(eventFunction, cloud))
  return address.CodeSha256 ?? ''
}

/** Publishes version 1 of the first code and setting, changes both, and looks who gets what. */
export async function observeVersions(
  scene: ProbeScene,
  { live, newest }: EventUrls,
): Promise<void> {
  const { cloud, tell, settle, ask, observe, runtime } = scene
  const named = functionNamed(eventFunction, cloud)
  await observe(['alias-version', 'alias-description', 'version-variables'], async () => {
    tell('publishing a version, and changing what is newest')
    const version = await publishVersion(cloud, eventFunction, {
      tell: (status) => tell(`waiting, it is ${status}`),
    })
    await cloud.call('UpdateAlias', {
      ...named,
      Name: liveAlias,
      FunctionVersion: version,
      Description: DESCRIPTION,
      RoutingConfig: { AdditionalVersionWeights: [] },
    })
    const alias = await cloud.call('GetAlias', { ...named, Name: liveAlias })
    settle(
      'alias-description',
      alias.Description === DESCRIPTION ? 'kept' : `it became "${alias.Description ?? ''}"`,
    )
    await upload(scene, await packEcho('second', { runtime }))
    await cloud.call('UpdateFunctionConfiguration', {
      ...named,
      Environment: { Variables: [{ Key: 'PROBE_SETTING', Value: 'two' }] },
    })
    await settled(cloud, eventFunction, tell)
    const users = (await ask(live)).echoed
    const latest = (await ask(newest)).echoed
    settle(
      'alias-version',
      `told: version ${alias.FunctionVersion}; a call through it: version ${users.version}, ${users.code} code; through $LATEST: ${latest.version}, ${latest.code} code`,
    )
    const frozen = await getFunction(cloud, eventFunction, version)
    const told = frozen?.Environment?.Variables?.find(({ Key }) => Key === 'PROBE_SETTING')?.Value
    settle(
      'version-variables',
      `version ${version} tells ${told ?? 'none'} and has ${users.setting}; $LATEST has ${latest.setting} (one before the change, two after)`,
    )
  })
  await observe(['code-digest'], async () => {
    const made = await packEcho('third', { runtime })
    const digest = await upload(scene, made)
    const again = await upload(scene, made)
    settle(
      'code-digest',
      `${digestInWords(digest, made)}; the same package again: ${again === digest ? 'the same' : 'another'} digest`,
    )
  })
}

/** Which right a call of a version takes shows only in a refusal, whose text names it. */
export async function observeInvokeRight(scene: ProbeScene): Promise<void> {
  await scene.observe(['invoke-right'], async () => {
    try {
      await scene.cloud.call('Invoke', {
        ...functionNamed(eventFunction, scene.cloud),
        ClientContext: '{}',
      })
      scene.leave(
        'invoke-right',
        'this key may call; run it with one that has neither scf:Invoke nor scf:InvokeFunction',
      )
    } catch (error) {
      if (!(error instanceof CloudFailure && error.isMissingRight)) throw error
      const named = /\b\w+:Invoke\w*/.exec(error.message)?.[0]
      scene.settle('invoke-right', named ?? 'refused, and the refusal names no right')
    }
  })
}
