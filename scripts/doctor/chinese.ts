/**
 * The sentences of the functions' configuration and of the checks before a deploy, in Chinese. Those checks word their
 * findings in English only; a sentence that is not found here is shown as it is.
 */

import type { DatabaseUrlError, DatabaseUrlFault } from '../../shared/store/database-url-error.ts'

/** The number and order of `$n` are those of the pattern's groups. */
const sentences: readonly [RegExp, string][] = [
  // Variables, behind their name.
  [/^is (?:not set|missing)$/, '没有设置'],
  [/^is not acceptable$/, '的格式不正确'],
  [/^holds a key of (\d+) bytes; it needs (\d+)$/, '中的密钥只有 $1 字节，需要 $2 字节'],
  [/^holds a key that is not random$/, '中的密钥不是随机生成的'],
  [
    /^should be kid:key\b.*/,
    '的格式应为 id:密钥[,id:密钥]，每个密钥为 32 个以上随机字节的 base64url',
  ],
  [/^names the key (\S+) twice$/, '中的密钥编号 $1 出现了两次'],
  [/^key ids repeat$/, '中有重复的密钥编号'],
  [
    /^should be (?:a key|at least 32 random bytes) in base64url$/,
    '应为 32 个以上随机字节的 base64url',
  ],
  [/^and (\S+) hold the same key; each needs its own$/, '与 $1 用了同一个密钥，必须各用各的'],
  [
    /^should be (?:mysql|https):\/\/.*/,
    '应为 mysql://用户:密码@主机:3306/库 或 https://用户:密码@主机',
  ],
  [/^leads to this computer, which the cloud cannot reach$/, '指向本机，云函数无法访问'],
  [/^would send the password in the clear: use https$/, '会以明文发送密码，请改用 https'],
  [
    /^should be the 18 characters of the mini program, wx…$/,
    '应为小程序的 AppID：wx 开头的 18 个字符',
  ],
  [
    /^should be the 32 hexadecimal characters of the AppSecret$/,
    '应为 AppSecret 的 32 个十六进制字符',
  ],
  [/^should be unset, or an https address.*/, '应留空，或为公网的 https 地址'],
  [/^should be seconds$/, '应为秒数'],
  [/^should be (\d+) to (\d+) seconds$/, '应为 $1 到 $2 之间的秒数'],
  [/^should be exact origins.*/, '应为完整的来源地址（如 https://example.com），用逗号分隔'],
  [/^should be user ids or openids, separated by commas$/, '应为用户 id 或 openid，用逗号分隔'],
  [/^should be keep or delete$/, '应为 keep 或 delete'],
  [/^has a prefix the platform keeps for itself$/, '的前缀由平台保留，不能使用'],
  // A function's settings.
  [
    /^the name "(.*)" is not 2 to (\d+) .*/,
    '名称 “$1” 不合规：应为字母开头的 2 到 $2 个字母、数字、- 或 _',
  ],
  [
    /^memorySize (\d+) is not .* up to (\d+)$/,
    '内存 $1 MB 不可用：只能是 64，或 128 的倍数且不超过 $2',
  ],
  [/^timeout (\d+) is not 1 to (\d+) seconds$/, '超时 $1 秒不可用：应为 1 到 $2 秒'],
  [
    /^timeout (\d+) is too short: .* needs at least (\d+)$/,
    '超时 $1 秒太短：要等微信和数据库，至少需要 $2 秒',
  ],
  [/^the bundle's only handler is (\S+), not (\S+)$/, '入口只能是 $1，不能是 $2'],
  [/^the description may hold .*/, '描述最多 800 个字符，只能含中文、字母、数字、空格、逗号和句点'],
  [/^vpcConfig needs both vpcId and subnetId$/, 'vpcConfig 需要同时设置 vpcId 和 subnetId'],
  [/^cls needs both logsetId and topicId$/, 'cls 需要同时设置 logsetId 和 topicId'],
  [/^two timers have the same name$/, '有两个同名的定时触发器'],
  [
    /^the timer (\S+) needs seven fields: .*/,
    '定时触发器 $1 的 cron 需要七段：秒 分 时 日 月 周 年',
  ],
  [/^its variables take (\d+) bytes; the cloud takes (\d+)$/, '环境变量共 $1 字节，上限为 $2 字节'],
  // The custom domain.
  [/^customDomain: \S+ is not a domain name .*/, 'CUSTOM_DOMAIN 不是域名（不要带 https://）'],
  [
    /^customDomain: certificateId is not set; .*/,
    '没有设置 CUSTOM_DOMAIN_CERTIFICATE_ID：HTTPS 需要账号下的证书',
  ],
  [
    /^customDomain: no function has `paths`.*/,
    '设置了自定义域名，但没有函数在 http 事件下写 paths',
  ],
  [
    /^customDomain: (\S+) can lead to one function, not to both (\S+) and (\S+)$/,
    '自定义域名的路径 $1 只能指向一个函数，不能同时指向 $2 和 $3',
  ],
  // Migrations.
  [
    /^(\S+) was applied to this database, but its file is gone\..*/,
    '$1 已在此库执行过，但文件不见了',
  ],
  [/^(\S+) was changed after it had been applied\..*/, '$1 在执行之后被改过'],
]

/** What is wrong with DATABASE_URL; `…` stands for the error's detail. */
const urlFaults: Readonly<Record<DatabaseUrlFault, string>> = {
  'not-a-url': '不是有效的地址',
  scheme: '的开头不是任何一种支持的数据库',
  'other-door': '需要另一种驱动，请重新构建',
  'no-host': '里没有主机',
  'no-user': '里没有用户名',
  'no-password': '里没有密码',
  'no-database': '里没有库名',
  'plain-http': '必须用 https',
  'percent-encoding': '的 … 部分没有正确地百分号编码',
  'percent-encoded-credentials': '的用户名和密码里不能有需要百分号编码的字符，请换一组',
  'unknown-parameter': '里有不认识的参数 …',
  'ssl-value': '的 ssl 参数只能是 true 或 false',
  'ssl-mode-value': '的 ssl-mode 参数只能是 …',
  'ssl-ca-unused': '的 ssl-ca 需要同时写 ssl-mode=verify_ca',
  'ssl-ca-unreadable': '的 ssl-ca 指向的文件无法读取',
  'ssl-host-address': '用 IP 连接时无法核对证书名称：请用 ssl-mode=verify_ca',
}

/** What is wrong with DATABASE_URL, in Chinese. */
export function urlFaultInChinese({ code, detail }: DatabaseUrlError): string {
  return `DATABASE_URL ${urlFaults[code].replace('…', detail)}`
}

/** The sentence in Chinese; undefined when it is none of the known ones. */
export function inChinese(sentence: string): string | undefined {
  const found = sentences.find(([pattern]) => pattern.test(sentence))
  return found && sentence.replace(...found)
}
