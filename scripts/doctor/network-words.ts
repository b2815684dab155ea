/** Why nothing answers at an address, by Node's error codes: nodejs.org/api/errors.html and nodejs.org/api/tls.html. */

import { type Reason, reason } from './report.ts'

const silent = reason`
  在期限内没有回答
  there is no answer in time
  检查防火墙、安全组和网络；云数据库要允许本机的 IP
  check firewalls, security groups and the network; a cloud database must admit this computer’s address`
const broken = reason`
  连接中断
  the connection broke
  稍后再试；检查代理和防火墙
  try again; check proxies and firewalls`
const untrusted = reason`
  证书不是受信任机构签发的，或证书链不完整
  the certificate is from nobody known, or its chain is incomplete
  换用受信任机构的证书，并部署完整的证书链
  use a certificate of a known authority and install its whole chain`

const reasons: Readonly<Record<string, Reason>> = {
  ENOTFOUND: reason`
    主机名不存在（DNS 查不到）
    the host name does not exist (DNS does not know it)
    检查主机名的拼写
    check the spelling of the host name`,
  EAI_AGAIN: reason`
    DNS 暂时查不到主机名
    DNS cannot look the host name up at the moment
    检查网络和主机名
    check the network and the host name`,
  DEADLINE: silent,
  ETIMEDOUT: silent,
  EHOSTUNREACH: silent,
  ENETUNREACH: silent,
  ECONNREFUSED: reason`
    拒绝连接：该端口没有服务
    the connection is refused: nothing listens on that port
    检查端口，以及服务是否在运行
    check the port, and whether the service is running`,
  ECONNRESET: broken,
  EPIPE: broken,
  CERT_HAS_EXPIRED: reason`
    证书已过期
    the certificate has expired
    续期证书并重新部署
    renew the certificate and deploy it`,
  CERT_NOT_YET_VALID: reason`
    证书尚未生效，或本机时钟慢了
    the certificate is not valid yet, or this computer’s clock is slow
    检查证书的生效日期和本机时钟
    check its dates and this computer’s clock`,
  ERR_TLS_CERT_ALTNAME_INVALID: reason`
    证书不是这个域名的
    the certificate is for another name
    换用这个域名的证书
    use a certificate for this name`,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
}

/** The reason behind a code, in words; the code itself when it has none here. */
export function networkReason(code: string): Reason {
  return (
    reasons[code] ??
    reason`
      连接失败（${code}）
      the connection failed (${code})
      检查地址和网络
      check the address and the network`
  )
}
