/** For each variable of a deployment, where its value comes from. */

import type { Words } from './report.ts'

function keyCommand(prefix: string): string {
  return `node -p '${prefix}require("crypto").randomBytes(32).toString("base64url")'`
}

function keyRing(id: string): Words {
  return {
    zh: `生成一个：${keyCommand(`"${id}:" + `)}（每个变量各生成各的，不要复用）`,
    en: `make one: ${keyCommand(`"${id}:" + `)} (a separate one for each variable)`,
  }
}

const advice: Readonly<Record<string, Words>> = {
  DATABASE_URL: {
    zh: 'DATABASE_URL=mysql://用户:密码@主机:3306/库，或 PlanetScale 的 https://用户:密码@主机；密码里的特殊字符在 mysql:// 中要百分号编码',
    en: 'DATABASE_URL=mysql://user:password@host:3306/database, or PlanetScale’s https://user:password@host; percent-encode special characters of a mysql:// password',
  },
  TOKEN_KEYS: keyRing('k1'),
  SEALING_KEYS: keyRing('s1'),
  LOOKUP_KEY: {
    zh: `生成一个：${keyCommand('')}（之后不能更换，请妥善备份）`,
    en: `make one: ${keyCommand('')} (it cannot be changed later: keep a copy)`,
  },
  WECHAT_APPID: {
    zh: '在 mp.weixin.qq.com 的 开发管理 → 开发设置 里复制 AppID（小程序ID）',
    en: 'copy the AppID from mp.weixin.qq.com, 开发管理 → 开发设置',
  },
  WECHAT_SECRET: {
    zh: '在 mp.weixin.qq.com 的 开发管理 → 开发设置 里复制 AppSecret；它只显示一次，忘记了只能重置，旧的随即失效',
    en: 'copy the AppSecret from mp.weixin.qq.com, 开发管理 → 开发设置; it is shown once, and resetting it ends the old one',
  },
}

/** What to do about a variable, and in which file. */
export function adviceOn(variable: string, envFile: string): Words {
  const known = advice[variable]
  if (known) return { zh: `${envFile}：${known.zh}`, en: `${envFile}: ${known.en}` }
  return {
    zh: `在 ${envFile} 里改正 ${variable}，写法见 .env.example`,
    en: `correct ${variable} in ${envFile}; .env.example shows how it is written`,
  }
}

/** What to do about a variable that no environment in serverless.yml mentions. */
export function givingOf(variable: string): Words {
  return {
    zh: `在 serverless.yml 这些函数的 environment 下加上 ${variable}`,
    en: `add ${variable} under environment of these functions in serverless.yml`,
  }
}
