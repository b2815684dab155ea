import { weChatPaths } from './routes.ts'

/** The page behind `GET /sim`: everything the simulator can be told, one curl line each. */
export function helpPage(url: string): string {
  const post = (path: string, body: string) => `curl -X POST ${url}${path} -d '${body}'`
  const openid = '"openid":"oTester000000000000000000000"'
  return `Offline WeChat / 离线微信    ${url}    (in a browser / 浏览器: ${url}/)

A simulator of api.weixin.qq.com for local work and tests. Point your back end's WeChat address here.
本地模拟的微信服务端接口，供开发和测试使用；把后端的微信接口地址指向这里即可。

Endpoints / 接口
${weChatPaths.map((path) => `  ${path}`).join('\n')}

A login code, single use, five minutes / 登录 code，一次有效，五分钟
  ${post('/sim/codes', '{}')}
  ${post('/sim/codes', `{${openid},"unionid":"uTester"}`)}
Encrypted user data under the current session_key / 用当前 session_key 加密的用户数据
  ${post('/sim/user-data', `{${openid},"userInfo":{"nickName":"小明"}}`)}
A phone code, and the older encrypted pair / 手机号 code 及旧式密文
  ${post('/sim/phone-codes', `{${openid},"phone":"13800138000"}`)}
A user: high risk (40226), risk rank, unionid / 用户：高风险（40226）、安全等级、unionid
  ${post('/sim/users', `{${openid},"risk":true}`)}
  ${post('/sim/users', `{${openid},"risk":false,"riskRank":2}`)}
The session_key ends (87007) / session_key 失效
  ${post('/sim/sessions/end', `{${openid}}`)}
Words the content check finds / 内容安全词
  ${post('/sim/words', '{"words":[{"word":"违规词","suggest":"risky","label":20006}]}')}
  ${post('/sim/words/remove', '{"words":["违规词"]}')}
  curl ${url}/sim/words
Another mini program, and what holds for it: secret, frozen, addresses (40164), pages (41030), quotas (45009, 45011)
另一个小程序及其密钥、冻结、IP 白名单、页面、调用额度；any order takes its appid
  ${post('/sim/apps', '{"appid":"wxanother00000000","secret":"another-secret","quotas":{"/wxa/msg_sec_check":{"perDay":2}}}')}
  ${post('/sim/apps', '{"appid":"wxanother00000000","state":"secret-frozen","ipList":["203.0.113.7"]}')}
  ${post('/sim/codes', '{"appid":"wxanother00000000"}')}
  The address of a caller is that of the socket, or what stands in X-Forwarded-For. States: active, secret-frozen, account-frozen
Subscribe messages: a template, a person's consent, what arrived / 订阅消息：模板、用户同意、已送达
  ${post('/sim/templates', '{"templateId":"tRated","keys":["thing1","date2"]}')}
  ${post('/sim/subscriptions', `{${openid},"templateId":"tRated"}`)}
  curl ${url}/sim/messages
The clock: moved, set, stopped / 时钟：拨动、设定、停住
  ${post('/sim/clock', '{"advanceMs":300000}')}
  ${post('/sim/clock', '{"nowMs":1767225600000,"stopped":true}')}
  curl ${url}/sim/clock
Everything there is, for a program or the page / 全部状态
  curl ${url}/sim/state
Requests received, secrets masked / 收到的请求（敏感值已遮盖）
  curl ${url}/sim/requests
  curl -X DELETE ${url}/sim/requests
Faults: errcode status empty html truncate hang reset slow drip raw refuse / 故障
  ${post('/sim/faults', '{"path":"/sns/jscode2session","kind":"errcode","errcode":-1,"times":2}')}
  ${post('/sim/faults', '{"kind":"slow","delayMs":800}')}
  curl ${url}/sim/faults
  curl -X DELETE ${url}/sim/faults
Kill every access_token / 使所有 access_token 失效
  curl -X POST ${url}/sim/tokens/revoke
Forget everything; from a seed the same codes, openids and keys come in the same order / 全部重置；给定种子则结果可重现
  curl -X POST ${url}/sim/reset
  ${post('/sim/reset', '{"seed":"monday"}')}
`
}
