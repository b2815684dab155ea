/** Where an address leads: one list for whoever asks whether something is on this machine, private or public. */

import { BlockList, isIP } from 'node:net'

/** `platform`: Tencent Cloud's own machines, seen as proxies in front of functions. */
export type Network = 'loopback' | 'private' | 'platform' | 'public'

/** RFC 1122 and 4291; RFC 1918, 6598, 3927, 4193 and 4291; and what `x-forwarded-for` shows of the platform. */
const NETWORKS = {
  loopback: '127.0.0.0/8 ::1/128',
  private:
    '10.0.0.0/8 100.64.0.0/10 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 fc00::/7 fe80::/10',
  platform: '9.0.0.0/8 11.0.0.0/8',
}

let lists: [Network, BlockList][] | undefined

/** The network of an IP address; `undefined` for a text that is none. */
export function networkOf(address: string): Network | undefined {
  const version = isIP(address)
  if (version === 0) return undefined
  const family = version === 4 ? 'ipv4' : 'ipv6'
  // A cold start does not wait for lists that most functions never ask.
  lists ??= makeLists()
  return lists.find(([, list]) => list.check(address, family))?.[0] ?? 'public'
}

function makeLists(): [Network, BlockList][] {
  return Object.entries(NETWORKS).map(([network, ranges]) => {
    const list = new BlockList()
    for (const range of ranges.split(' ')) {
      const [net = '', prefix] = range.split('/')
      list.addSubnet(net, Number(prefix), net.includes(':') ? 'ipv6' : 'ipv4')
    }
    return [network as Network, list]
  })
}

/**
 * Whose an IP address is, as far as it tells: a subscriber has one IPv4 address, in whatever notation, or a whole /64 of
 * IPv6 (RFC 6177). A text that is no address is given back.
 */
export function subscriberOf(address: string): string {
  if (isIP(address) !== 6) return address
  // The one spelling that a URL keeps of it: lower case, longest run of zeros left out.
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`)
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const start = head === '' ? [] : head.split(':')
  const mapped = hostname.startsWith('[::ffff:') ? (tail ?? '').split(':') : []
  if (mapped.length === 3) return ipv4Of(mapped.slice(1))
  const end = tail ? tail.split(':') : []
  const zeros = Array<string>(8 - start.length - end.length).fill('0')
  return `${[...start, ...zeros, ...end].slice(0, 4).join(':')}::/64`
}

function ipv4Of(words: string[]): string {
  return words
    .map((word) => Number.parseInt(word, 16))
    .map((word) => `${word >> 8}.${word & 255}`)
    .join('.')
}

/** Whether a host, as `new URL` spells it, is this machine by one of its usual names. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]'
}
