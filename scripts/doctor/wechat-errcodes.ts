/**
 * What WeChat's refusals of the access token call mean for an operator.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
 */

import type { Words } from './report.ts'

export interface Refusal extends Words {
  todo: Words
}

/** These say nothing about the configuration. */
export const passing: ReadonlySet<number> = new Set([-1, 45009, 45011])

const console_ = 'mp.weixin.qq.com → 开发管理 → 开发设置'

const notOnList: Words = {
  zh: `在 ${console_} → IP白名单 加入调用方的出口 IP。云函数的出口 IP 会变：请开启固定公网出口 IP（或 VPC 的 NAT 网关）再加入名单，本机的 IP 与它无关。登录（code2Session）不需要 access_token，不受影响；手机号和内容安全需要`,
  en: `add the caller’s outgoing address under ${console_} → IP白名单. Cloud functions leave by changing addresses: give them a fixed one (固定公网出口 IP, or a NAT gateway of the VPC) and list that; this computer’s is another. Login (code2Session) needs no access token and works all the same; phone numbers and content checks need one`,
}

export const refusals: Readonly<Record<number, Refusal>> = {
  40013: {
    zh: '微信不认识这个 AppID',
    en: 'WeChat does not know this AppID',
    todo: {
      zh: `核对 WECHAT_APPID：${console_} → AppID（小程序ID）`,
      en: `compare WECHAT_APPID with ${console_} → AppID（小程序ID）`,
    },
  },
  40125: {
    zh: 'AppSecret 不对，或已被重置',
    en: 'the AppSecret is wrong, or was reset since',
    todo: {
      zh: `核对 WECHAT_SECRET；若已遗失，在 ${console_} 重置后更新所有部署`,
      en: `compare WECHAT_SECRET; if it is lost, reset it under ${console_} and update every deployment`,
    },
  },
  40164: {
    zh: '调用方的 IP 不在微信的 IP 白名单里',
    en: 'the calling address is not on WeChat’s list',
    todo: notOnList,
  },
  40243: {
    zh: 'AppSecret 已被冻结',
    en: 'the AppSecret is frozen',
    todo: { zh: `在 ${console_} 解冻 AppSecret`, en: `unfreeze the AppSecret under ${console_}` },
  },
  41002: {
    zh: '微信没有收到 AppID',
    en: 'WeChat received no AppID',
    todo: { zh: '检查 WECHAT_APPID', en: 'check WECHAT_APPID' },
  },
  41004: {
    zh: '微信没有收到 AppSecret',
    en: 'WeChat received no AppSecret',
    todo: { zh: '检查 WECHAT_SECRET', en: 'check WECHAT_SECRET' },
  },
  50007: {
    zh: '小程序账号已被冻结',
    en: 'the mini program’s account is frozen',
    todo: {
      zh: '登录 mp.weixin.qq.com 查看通知中心里的处罚说明并申诉',
      en: 'sign in to mp.weixin.qq.com, read the notice about it and appeal',
    },
  },
  89503: {
    zh: '微信要求管理员确认这个 IP 的调用',
    en: 'WeChat wants the administrator to confirm calls from this address',
    todo: {
      zh: '请小程序管理员在微信收到的确认消息里同意，然后重试',
      en: 'have the mini program’s administrator accept the message in WeChat, then try again',
    },
  },
  89506: {
    zh: '管理员两次拒绝了这个 IP，24 小时内不能调用',
    en: 'the administrator refused this address twice: it is barred for 24 hours',
    todo: {
      zh: `24 小时后再试，并请管理员同意；或把 IP 加入 ${console_} → IP白名单`,
      en: `try again after 24 hours and have the administrator accept, or add the address under ${console_} → IP白名单`,
    },
  },
  89507: {
    zh: '管理员拒绝了这个 IP，1 小时内不能调用',
    en: 'the administrator refused this address: it is barred for one hour',
    todo: {
      zh: `1 小时后再试，并请管理员同意；或把 IP 加入 ${console_} → IP白名单`,
      en: `try again after an hour and have the administrator accept, or add the address under ${console_} → IP白名单`,
    },
  },
  [-1]: {
    zh: '微信系统繁忙，AppID 和 AppSecret 未能核实',
    en: 'WeChat is busy: AppID and AppSecret could not be verified',
    todo: { zh: '稍后再试', en: 'try again later' },
  },
  45009: {
    zh: '今天的 access_token 调用次数已用完',
    en: 'the day’s calls for access tokens are used up',
    todo: {
      zh: '明天再试，并查明是谁在频繁获取 access_token',
      en: 'try again tomorrow, and find out who asks for access tokens so often',
    },
  },
  45011: {
    zh: 'access_token 调用过于频繁',
    en: 'access tokens are asked for too often',
    todo: { zh: '一分钟后再试', en: 'try again in a minute' },
  },
}
