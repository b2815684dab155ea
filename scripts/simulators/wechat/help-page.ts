/** The page behind `GET /sim`: everything the simulator can be told, one curl line each. */
export function helpPage(url: string): string {
  const post = (path: string, body: string) => `curl -X POST ${url}${path} -d '${body}'`
  return `Offline WeChat / 离线微信    ${url}

A simulator of api.weixin.qq.com for local work and tests. Point your back end's WeChat address here.
本地模拟的微信服务端接口，供开发和测试使用；把后端的微信接口地址指向这里即可。

Endpoints / 接口
  GET  /sns/jscode2session                 GET  /cgi-bin/token            POST /cgi-bin/stable_token
  POST /wxa/business/getuserphonenumber    POST /wxa/msg_sec_check
  GET  /wxa/checksession                   GET  /wxa/resetusersessionkey

A login code, single use, five minutes / 登录 code，一次有效，五分钟
  ${post('/sim/codes', '{}')}
  ${post('/sim/codes', '{"openid":"oTester000000000000000000000","unionid":"uTester"}')}
Encrypted user data under the current session_key / 用当前 session_key 加密的用户数据
  ${post('/sim/user-data', '{"openid":"oTester000000000000000000000","userInfo":{"nickName":"小明"}}')}
A phone code, and the older encrypted pair / 手机号 code 及旧式密文
  ${post('/sim/phone-codes', '{"openid":"oTester000000000000000000000","phone":"13800138000"}')}
A user: high risk (40226), unionid / 用户：高风险（40226）、unionid
  ${post('/sim/users', '{"openid":"oTester000000000000000000000","risk":true}')}
Words the content check finds / 内容安全词
  ${post('/sim/words', '{"words":[{"word":"违规词","suggest":"risky","label":20006}]}')}
Move the clock / 拨动时钟
  ${post('/sim/clock', '{"advanceMs":300000}')}
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
Forget everything / 全部重置
  curl -X POST ${url}/sim/reset
`
}
