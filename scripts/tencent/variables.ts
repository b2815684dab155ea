/**
 * What a variable must look like before it is sent to the cloud, and whether a function that declares it can do without.
 * Which function gets which variable is serverless.yml's business alone. Messages never hold a value.
 */

import { isLoopbackHost } from '../../shared/network-addresses.ts'

export interface VariableRule {
  /** A function that declares it must be given a value. */
  required: boolean
  /** Says what is wrong, or nothing. */
  fault: (value: string) => string | undefined
  /** The raw keys in it, for the check that no key serves two purposes. */
  keys?: (value: string) => Buffer[]
}

const keyBytes = 32
/** 32 random bytes hold about 30 different ones; a password or a pattern far fewer. */
const fewestDistinctBytes = 16

function weakness(key: Buffer): string | undefined {
  if (key.length < keyBytes) return `holds a key of ${key.length} bytes; it needs ${keyBytes}`
  if (new Set(key).size < fewestDistinctBytes) return 'holds a key that is not random'
  return undefined
}

const howToMakeKey =
  "make one with: node -p \"require('crypto').randomBytes(32).toString('base64url')\""

function decode(text: string): Buffer | undefined {
  return /^[A-Za-z0-9_-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64url') : undefined
}

/** `kid:base64url[,kid:base64url]`. */
const keyRing: Omit<VariableRule, 'required'> = {
  fault: (value) => {
    const kids = new Set<string>()
    for (const entry of value.split(',')) {
      const [, kid, encoded] = /^\s*([A-Za-z0-9_-]{1,32}):(\S+)\s*$/.exec(entry) ?? []
      const key = decode(encoded ?? '')
      if (!kid || !key) return `should be kid:key[,kid:key] with keys in base64url; ${howToMakeKey}`
      if (kids.has(kid)) return `names the key ${kid} twice`
      kids.add(kid)
      const weak = weakness(key)
      if (weak) return `${weak}; ${howToMakeKey}`
    }
    return undefined
  },
  keys: (value) =>
    value.split(',').map((entry) => decode(entry.trim().split(':')[1] ?? '') ?? Buffer.alloc(0)),
}

const singleKey: Omit<VariableRule, 'required'> = {
  fault: (value) => {
    const key = decode(value)
    const weak = key ? weakness(key) : 'should be a key in base64url'
    return weak && `${weak}; ${howToMakeKey}`
  },
  keys: (value) => [decode(value) ?? Buffer.alloc(0)],
}

function pattern(expression: RegExp, sentence: string): Omit<VariableRule, 'required'> {
  return {
    fault: (value) => (expression.test(value) ? undefined : sentence),
  }
}

const address: Omit<VariableRule, 'required'> = {
  fault: (value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (!url || !['mysql:', 'https:', 'http:'].includes(url.protocol) || !url.username)
      return 'should be mysql://user:password@host:3306/database or https://user:password@host'
    if (isLoopbackHost(url.hostname)) return 'leads to this computer, which the cloud cannot reach'
    return url.protocol === 'http:' ? 'would send the password in the clear: use https' : undefined
  },
}

export const variableRules: Readonly<Record<string, VariableRule>> = {
  DATABASE_URL: { required: true, ...address },
  TOKEN_KEYS: { required: true, ...keyRing },
  SEALING_KEYS: { required: true, ...keyRing },
  LOOKUP_KEY: { required: true, ...singleKey },
  WECHAT_APPID: {
    required: true,
    ...pattern(/^wx[0-9a-f]{16}$/, 'should be the 18 characters of the mini program, wx…'),
  },
  WECHAT_SECRET: {
    required: true,
    ...pattern(/^[0-9a-f]{32}$/, 'should be the 32 hexadecimal characters of the AppSecret'),
  },
  WECHAT_API_URL: {
    required: false,
    ...pattern(
      /^https:\/\/(?!localhost|127\.)/,
      'should be unset, or an https address of the network',
    ),
  },
  ACCESS_TOKEN_SECONDS: { required: false, ...pattern(/^[1-9]\d{0,6}$/, 'should be seconds') },
}
