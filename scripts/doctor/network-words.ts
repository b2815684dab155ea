/** Why nothing answers at an address, by Node's error codes: nodejs.org/api/errors.html and nodejs.org/api/tls.html. */

import type { Words } from './report.ts'

interface Reason extends Words {
  todo: Words
}

const name: Reason = {
  zh: '主机名不存在（DNS 查不到）',
  en: 'the host name does not exist (DNS does not know it)',
  todo: { zh: '检查主机名的拼写', en: 'check the spelling of the host name' },
}
const silent: Reason = {
  zh: '在期限内没有回答',
  en: 'there is no answer in time',
  todo: {
    zh: '检查防火墙、安全组和网络；云数据库要允许本机的 IP',
    en: 'check firewalls, security groups and the network; a cloud database must admit this computer’s address',
  },
}
const closed: Reason = {
  zh: '拒绝连接：该端口没有服务',
  en: 'the connection is refused: nothing listens on that port',
  todo: {
    zh: '检查端口，以及服务是否在运行',
    en: 'check the port, and whether the service is running',
  },
}
const broken: Reason = {
  zh: '连接中断',
  en: 'the connection broke',
  todo: { zh: '稍后再试；检查代理和防火墙', en: 'try again; check proxies and firewalls' },
}
const untrusted: Reason = {
  zh: '证书不是受信任机构签发的，或证书链不完整',
  en: 'the certificate is from nobody known, or its chain is incomplete',
  todo: {
    zh: '换用受信任机构的证书，并部署完整的证书链',
    en: 'use a certificate of a known authority and install its whole chain',
  },
}

const reasons: Readonly<Record<string, Reason>> = {
  ENOTFOUND: name,
  EAI_AGAIN: {
    ...name,
    zh: 'DNS 暂时查不到主机名',
    en: 'DNS cannot look the host name up at the moment',
    todo: { zh: '检查网络和主机名', en: 'check the network and the host name' },
  },
  DEADLINE: silent,
  ETIMEDOUT: silent,
  EHOSTUNREACH: silent,
  ENETUNREACH: silent,
  ECONNREFUSED: closed,
  ECONNRESET: broken,
  EPIPE: broken,
  CERT_HAS_EXPIRED: {
    zh: '证书已过期',
    en: 'the certificate has expired',
    todo: { zh: '续期证书并重新部署', en: 'renew the certificate and deploy it' },
  },
  CERT_NOT_YET_VALID: {
    zh: '证书尚未生效，或本机时钟慢了',
    en: 'the certificate is not valid yet, or this computer’s clock is slow',
    todo: { zh: '检查证书的生效日期和本机时钟', en: 'check its dates and this computer’s clock' },
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    zh: '证书不是这个域名的',
    en: 'the certificate is for another name',
    todo: { zh: '换用这个域名的证书', en: 'use a certificate for this name' },
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
}

/** The reason behind a code, in words; the code itself when it has none here. */
export function networkReason(code: string): Reason {
  return (
    reasons[code] ?? {
      zh: `连接失败（${code}）`,
      en: `the connection failed (${code})`,
      todo: { zh: '检查地址和网络', en: 'check the address and the network' },
    }
  )
}
