import { describe, expect, test } from 'vitest'
import { isLoopbackHost, networkOf, subscriberOf } from '../../shared/network-addresses.ts'

describe('the network of an address', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['::1', 'loopback'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.127.255.255', 'private'],
    ['169.254.0.1', 'private'],
    ['fd00::1', 'private'],
    ['fe80::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['9.0.0.1', 'platform'],
    ['11.163.17.81', 'platform'],
    ['8.8.8.8', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['100.63.255.255', 'public'],
    ['100.128.0.0', 'public'],
    ['128.0.0.1', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['2408:8400::1', 'public'],
    ['::2', 'public'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })

  test.each(['', 'localhost', '127.1', '10.0.0.1:80', '[::1]', '10.0.0.0/8'])(
    'of "%s" is unknown, because it is none',
    (text) => {
      expect(networkOf(text)).toBeUndefined()
    },
  )
})

describe('the subscriber behind an address', () => {
  test.each([
    ['8.8.8.8', '8.8.8.8'],
    ['::ffff:8.8.8.8', '8.8.8.8'],
    ['::FFFF:808:808', '8.8.8.8'],
    ['0:0:0:0:0:ffff:0.0.0.5', '0.0.0.5'],
    ['2408:8400:1:2:3:4:5:6', '2408:8400:1:2::/64'],
    ['2408:8400:0001:0002:ffff::', '2408:8400:1:2::/64'],
    ['2408:8400:1::9', '2408:8400:1:0::/64'],
    ['2408:8400::', '2408:8400:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
    ['none', 'none'],
  ])('%s is %s', (address, subscriber) => {
    expect(subscriberOf(address)).toBe(subscriber)
  })
})

describe('a host is this machine', () => {
  test.each(['127.0.0.1', 'localhost', '[::1]'])('when it is called %s', (host) => {
    expect(isLoopbackHost(new URL(`http://${host}:3000/`).hostname)).toBe(true)
  })

  test.each(['example.com', 'localhost.example.com', '127.0.0.1.example.com', '10.0.0.1', ''])(
    'but not when it is called "%s"',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false)
    },
  )
})
