import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  DatabaseUrlError,
  type DatabaseUrlFault,
} from '../../../shared/store/database-url-error.ts'
import { parseMySqlUrl } from '../../../shared/store/mysql-url.ts'
import { openMySql } from '../../support/open-door.ts'

describe('a mysql:// URL', () => {
  test('is read with port, database and percent-encoded user and password', () => {
    expect(parseMySqlUrl('mysql://u%40x:p%2F%3A%E5%AF%86@db.example:3307/rating%5Fdb')).toEqual({
      host: 'db.example',
      port: 3307,
      user: 'u@x',
      password: 'p/:密',
      database: 'rating_db',
      tls: undefined,
    })
  })

  test('has port 3306 unless it says otherwise, and may name an IPv6 address', () => {
    const { host, port } = parseMySqlUrl('mysql://u:p@[::1]/db')
    expect([host, port]).toEqual(['::1', 3306])
  })

  test.each([
    ['ssl=true', 'authority-and-name'],
    ['ssl-mode=VERIFY_IDENTITY', 'authority-and-name'],
    ['ssl-mode=verify_ca', 'authority'],
    ['ssl-mode=required', 'nothing'],
    ['ssl=false', undefined],
    ['ssl-mode=disabled', undefined],
    ['ssl-mode=verify_ca&ssl=true', 'authority'],
  ])('with %s checks %s of the certificate', (query, verify) => {
    expect(parseMySqlUrl(`mysql://u:p@db.example/db?${query}`).tls?.verify).toBe(verify)
  })

  test('names the authorities to trust', () => {
    const { tls } = parseMySqlUrl('mysql://u:p@db.example/db?ssl=true&ssl-ca=/etc/ca.pem')
    expect(tls).toEqual({ verify: 'authority-and-name', authorityPath: '/etc/ca.pem' })
  })

  test.each<[string, DatabaseUrlFault, string?]>([
    ['nonsense s3cret', 'not-a-url'],
    ['mysql://u:s3cret@[/db', 'not-a-url'],
    ['postgres://u:s3cret@h/db', 'scheme'],
    ['mysql://:s3cret@h/db', 'no-user'],
    ['mysql://u:s3cret@h/', 'no-database'],
    ['mysql:///s3cret', 'no-host'],
    ['mysql://u:s3cret%zz@h/db', 'percent-encoding', 'password'],
    ['mysql://u:s3cret@h/db?ssl=maybe', 'ssl-value'],
    ['mysql://u:s3cret@h/db?ssl-mode=prefer', 'ssl-mode-value', 'verify_identity'],
    ['mysql://u:s3cret@h/db?ssl-ca=/x', 'ssl-ca-unused'],
    ['mysql://u:s3cret@10.0.0.1/db?ssl=true', 'ssl-host-address'],
    ['mysql://u:s3cret@h/db?multipleStatements=true', 'unknown-parameter', 'multipleStatements'],
    ['mysql://u:s3cret@h/db?s3cret%26=1', 'unknown-parameter', 'not a word'],
  ])('%s is refused with %s and nothing of the URL', (url, code, detail = '') => {
    const error = refusal(url)
    expect(error.code).toBe(code)
    expect(error.detail).toContain(detail)
    expect(error.message).toContain(error.detail)
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain('s3cret')
  })
})

test('authorities that are no file are refused when the door is opened, without their path', () => {
  const url = 'mysql://u:p@db.example/db?ssl=true&ssl-ca=/no/such/s3cret.pem'
  const open = (): unknown => openMySql({ url, connections: 1, timeoutMs: () => 1 })
  expect(open).toThrow(expect.objectContaining({ code: 'ssl-ca-unreadable' }))
  expect(open).not.toThrow('s3cret')
})

function refusal(url: string): DatabaseUrlError {
  try {
    parseMySqlUrl(url)
  } catch (error) {
    if (error instanceof DatabaseUrlError) return error
  }
  throw new Error('the URL was accepted')
}
