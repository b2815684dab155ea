import { describe, expect, test } from 'vitest'
import { parseMySqlUrl } from '../../../shared/store/mysql-url.ts'

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

  test.each([
    ['nonsense s3cret', 'cannot be read'],
    ['mysql://u:s3cret@[/db', 'cannot be read'],
    ['postgres://u:s3cret@h/db', 'mysql://'],
    ['mysql://:s3cret@h/db', 'no user'],
    ['mysql://u:s3cret@h/', 'no database'],
    ['mysql:///s3cret', 'no host'],
    ['mysql://u:s3cret%zz@h/db', 'password'],
    ['mysql://u:s3cret@h/db?ssl=maybe', 'ssl in the URL'],
    ['mysql://u:s3cret@h/db?ssl-mode=prefer', 'ssl-mode'],
    ['mysql://u:s3cret@h/db?ssl-ca=/x', 'ssl-mode=verify_ca'],
    ['mysql://u:s3cret@10.0.0.1/db?ssl=true', 'ssl-mode=verify_ca'],
    ['mysql://u:s3cret@h/db?multipleStatements=true', 'multipleStatements'],
    ['mysql://u:s3cret@h/db?s3cret%26=1', 'not a word'],
  ])('%s is refused, saying what is wrong and nothing of the URL', (url, part) => {
    const error = refusal(url)
    expect(error.message).toContain(part)
    expect(error.message).not.toContain('s3cret')
    expect(error.cause).toBeUndefined()
  })
})

function refusal(url: string): Error {
  try {
    parseMySqlUrl(url)
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('the URL was accepted')
}
