/** What a deploy refuses, in Chinese; the English is beside the codes. */

import { type Details, fill } from '../../shared/wiring/configuration.ts'
import type { FaultCode } from '../tencent/fault.ts'

const DATABASE_URL_FORMS = '应为 mysql://用户:密码@主机:3306/库 或 https://用户:密码@主机'

const sentences: Readonly<Record<FaultCode, string>> = {
  // Variables, behind their name.
  missing: '没有设置',
  'not-given': '是必需的，但 serverless.yml 没有把它交给函数',
  'not-one-of': '应为 {allowed}',
  'not-in-range': '应为 {least} 到 {most} 之间的整数',
  'bad-limits': '应写成 user:120/60,address:600/60，或 off',
  'bad-origin': '应为完整的来源地址（如 https://example.com），用逗号分隔',
  'bad-operator': '应为用户 id 或 openid，用逗号分隔',
  'bad-appid': '应为小程序的 AppID：wx 和 16 个十六进制字符',
  'bad-appsecret': '应为小程序的 AppSecret：32 个十六进制字符',
  'bad-api-url': '应为 https 地址，本机上也可用 http',
  'bad-key-ring': '的格式应为 id:密钥[,id:密钥]，密钥用 base64url',
  'bad-key': '应为 base64url 写的密钥',
  'short-key': '中的密钥只有 {bytes} 字节，需要 {least} 字节',
  'weak-key': '中的密钥不是随机生成的',
  'known-secret': '中的密钥出自公开的密钥名单',
  'repeated-key-id': '中第 {first} 个和第 {second} 个密钥的编号相同',
  'repeated-key': '里同一个密钥用了两个编号，轮换等于没有轮换',
  'shared-secret': '与 {other} 用了同一个秘密，必须各用各的',
  'this-computer': '指向本机，云函数无法访问',
  'reserved-prefix': '的前缀由平台保留，不能使用',
  // DATABASE_URL.
  'not-a-url': DATABASE_URL_FORMS,
  scheme: DATABASE_URL_FORMS,
  'other-door': '需要另一种驱动，请重新构建',
  'no-host': '里没有主机',
  'no-user': '里没有用户名',
  'no-password': '里没有密码',
  'no-database': '里没有库名',
  'plain-http': '会以明文发送密码，必须用 https',
  'percent-encoding': '的 … 部分没有正确地百分号编码',
  'percent-encoded-credentials': '的用户名和密码里不能有需要百分号编码的字符，请换一组',
  'unknown-parameter': '里有不认识的参数 …',
  'ssl-value': '的 ssl 参数只能是 true 或 false',
  'ssl-mode-value': '的 ssl-mode 参数只能是 …',
  'ssl-ca-unused': '的 ssl-ca 需要同时写 ssl-mode=verify_ca',
  'ssl-ca-unreadable': '的 ssl-ca 指向的文件无法读取',
  'ssl-host-address': '用 IP 连接时无法核对证书名称：请用 ssl-mode=verify_ca',
  // A function's settings.
  'no-declaration': '缺少 functions/{name}/parts.ts：它声明函数需要什么',
  'bad-name':
    '名称 “{name}”（{length} 个字符）不合规：应为字母开头的 2 到 {most} 个字母、数字、- 或 _',
  'bad-memory': '内存 {memoryMb} MB 不可用：只能是 64，或 {stepMb} 的倍数且不超过 {mostMb}',
  'bad-timeout': '超时 {seconds} 秒不可用：应为 1 到 {most} 秒',
  'short-timeout':
    '超时 {seconds} 秒太短：等微信和数据库可能要 {waits} 秒，至少需要 {least} 秒，否则平台会在回答之前结束它',
  'bad-handler': '入口只能是 {expected}',
  'bad-description': '描述最多 {most} 个字符，只能含中文、字母、数字、空格、逗号和句点',
  'half-vpc': 'vpcConfig 需要同时设置 vpcId 和 subnetId',
  'watching-without-topic':
    'watching：logRetentionDays 和 alarmNoticeId 针对自有的日志主题，请为 provider 设置 cls',
  'bad-retention': 'watching：logRetentionDays 应为 1 到 {most}，或 {ever} 表示永久保存',
  'half-cls': 'cls 需要同时设置 logsetId 和 topicId',
  'repeated-timer': '有两个同名的定时触发器',
  'bad-cron': '定时触发器 {timer} 的 cron 需要七段：秒 分 时 日 月 周 年',
  'unanswered-timer':
    '定时触发器 {timer} 不是这个函数会处理的：functions/{name}/parts.ts 的 timers 列出它会处理的',
  'large-environment': '环境变量共 {bytes} 字节，上限为 {most} 字节',
  'large-package': '包有 {mb} MB，连同请求的其余部分最多能上传 {mostMb} MB',
  // Its package.
  'no-package-record': '的包没有说明它为何而建：请用当前版本重新执行 serverless package',
  'package-changed': '的包与旁边的说明文件不符：请重新打包',
  'package-variable': '没有值，而这个包缺了它只会回答错误',
  'package-door': '需要 {needed} 的驱动，而包是为 {made} 建的：请用这个 stage 重新打包',
  // The custom domain.
  'bad-domain': 'CUSTOM_DOMAIN 不是域名（不要带 https://）',
  'no-certificate': '没有设置 CUSTOM_DOMAIN_CERTIFICATE_ID：HTTPS 需要账号下的证书',
  'no-paths': '设置了自定义域名，但没有函数在 http 事件下写 paths',
  'shared-path': '自定义域名的路径 {path} 只能指向一个函数，不能同时指向 {first} 和 {second}',
}

/** What is wrong, in Chinese; about a variable, to follow its name. */
export function inChinese(code: FaultCode, details?: Details): string {
  return fill(sentences[code], details)
}
