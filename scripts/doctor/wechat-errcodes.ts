/**
 * What WeChat's refusals of the access token call mean for an operator.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
 */

import { type Reason, reason } from './report.ts'

/** These say nothing about the configuration. */
export const passing: ReadonlySet<number> = new Set([-1, 45009, 45011])

const settings = 'mp.weixin.qq.com → 开发管理 → 开发设置'

export const errcodes: Readonly<Record<number, Reason>> = {
  40013: reason`
    微信不认识这个 AppID
    WeChat does not know this AppID
    核对 WECHAT_APPID：${settings} → AppID（小程序ID）
    compare WECHAT_APPID with ${settings} → AppID（小程序ID）`,
  40125: reason`
    AppSecret 不对，或已被重置
    the AppSecret is wrong, or was reset since
    核对 WECHAT_SECRET；若已遗失，在 ${settings} 重置后更新所有部署
    compare WECHAT_SECRET; if it is lost, reset it under ${settings} and update every deployment`,
  40164: reason`
    调用方的 IP 不在微信的 IP 白名单里
    the calling address is not on WeChat’s list
    在 ${settings} → IP白名单 加入调用方的出口 IP。云函数的出口 IP 会变：请开启固定公网出口 IP（或 VPC 的 NAT 网关）再加入名单，本机的 IP 与它无关。登录（code2Session）不需要 access_token，不受影响；手机号和内容安全需要
    add the caller’s outgoing address under ${settings} → IP白名单. Cloud functions leave by changing addresses: give them a fixed one (固定公网出口 IP, or a NAT gateway of the VPC) and list that; this computer’s is another. Login (code2Session) needs no access token and works all the same; phone numbers and content checks need one`,
  40243: reason`
    AppSecret 已被冻结
    the AppSecret is frozen
    在 ${settings} 解冻 AppSecret
    unfreeze the AppSecret under ${settings}`,
  41002: reason`
    微信没有收到 AppID
    WeChat received no AppID
    检查 WECHAT_APPID
    check WECHAT_APPID`,
  41004: reason`
    微信没有收到 AppSecret
    WeChat received no AppSecret
    检查 WECHAT_SECRET
    check WECHAT_SECRET`,
  50007: reason`
    小程序账号已被冻结
    the mini program’s account is frozen
    登录 mp.weixin.qq.com 查看通知中心里的处罚说明并申诉
    sign in to mp.weixin.qq.com, read the notice about it and appeal`,
  89503: reason`
    微信要求管理员确认这个 IP 的调用
    WeChat wants the administrator to confirm calls from this address
    请小程序管理员在微信收到的确认消息里同意，然后重试
    have the mini program’s administrator accept the message in WeChat, then try again`,
  89506: reason`
    管理员两次拒绝了这个 IP，24 小时内不能调用
    the administrator refused this address twice: it is barred for 24 hours
    24 小时后再试，并请管理员同意；或把 IP 加入 ${settings} → IP白名单
    try again after 24 hours and have the administrator accept, or add the address under ${settings} → IP白名单`,
  89507: reason`
    管理员拒绝了这个 IP，1 小时内不能调用
    the administrator refused this address: it is barred for one hour
    1 小时后再试，并请管理员同意；或把 IP 加入 ${settings} → IP白名单
    try again after an hour and have the administrator accept, or add the address under ${settings} → IP白名单`,
  [-1]: reason`
    微信系统繁忙，AppID 和 AppSecret 未能核实
    WeChat is busy: AppID and AppSecret could not be verified
    稍后再试
    try again later`,
  45009: reason`
    今天的 access_token 调用次数已用完
    the day’s calls for access tokens are used up
    明天再试，并查明是谁在频繁获取 access_token
    try again tomorrow, and find out who asks for access tokens so often`,
  45011: reason`
    access_token 调用过于频繁
    access tokens are asked for too often
    一分钟后再试
    try again in a minute`,
}

export const unknownErrcode: Reason = reason`
  微信拒绝了调用
  WeChat refused the call
  在微信开放文档的全局错误码里查这个 errcode；联系微信客服时提供 rid
  look the errcode up among WeChat’s global error codes; its support asks for the rid`
