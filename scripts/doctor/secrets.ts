/** Secrets that serve twice. Keys of different variables are compared by the checks before a deploy. */

import type { DesiredService } from '../tencent/service.ts'
import { variableRules } from '../tencent/variables.ts'
import { adviceOn } from './advice.ts'
import { error, type Finding } from './report.ts'

/** A key under two ids of one variable, and a password or the AppSecret that is also a key. */
export function reusedSecrets(service: DesiredService, envFile: string): Finding[] {
  const variables: Record<string, string> = Object.assign(
    {},
    ...service.functions.map((each) => each.variables),
  )
  return [...repeatedKeys(variables, envFile), ...keysThatAreSecrets(variables, envFile)]
}

type Variables = Readonly<Record<string, string>>

function keysOf(variables: Variables): { name: string; keys: string[] }[] {
  return Object.entries(variableRules).flatMap(([name, rule]) => {
    const value = variables[name]
    if (!value || !rule.keys || rule.fault(value)) return []
    return { name, keys: rule.keys(value).map((key) => key.toString('hex')) }
  })
}

function repeatedKeys(variables: Variables, envFile: string): Finding[] {
  return keysOf(variables)
    .filter(({ keys }) => new Set(keys).size < keys.length)
    .map(({ name }) =>
      error(
        `configuration.${name}`,
        {
          zh: `${name} 里同一个密钥用了两个编号，轮换等于没有轮换`,
          en: `${name} holds one key under two ids: rotating between them changes nothing`,
        },
        adviceOn(name, envFile),
      ),
    )
}

function keysThatAreSecrets(variables: Variables, envFile: string): Finding[] {
  const { WECHAT_SECRET = '', DATABASE_URL = '' } = variables
  const others = [
    { name: 'WECHAT_SECRET', secret: WECHAT_SECRET },
    { name: 'DATABASE_URL', secret: passwordIn(DATABASE_URL) },
  ].filter(({ secret }) => secret !== '')
  const asBytes = (text: string): string[] => [
    Buffer.from(text, 'base64url').toString('hex'),
    Buffer.from(text).toString('hex'),
  ]
  const findings = keysOf(variables).flatMap(({ name, keys }) =>
    others
      .filter(({ secret }) => asBytes(secret).some((bytes) => keys.includes(bytes)))
      .map((other) => ({ name, with: other.name })),
  )
  if (WECHAT_SECRET !== '' && WECHAT_SECRET === passwordIn(DATABASE_URL)) {
    findings.push({ name: 'DATABASE_URL', with: 'WECHAT_SECRET' })
  }
  return findings.map((pair) =>
    error(
      `configuration.${pair.name}`,
      {
        zh: `${pair.name} 与 ${pair.with} 用了同一个秘密：泄露一个就泄露两个`,
        en: `${pair.name} and ${pair.with} hold the same secret: losing one loses both`,
      },
      adviceOn(pair.name, envFile),
    ),
  )
}

function passwordIn(address: string): string {
  return URL.canParse(address) ? new URL(address).password : ''
}
