import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { selfSignedCertificate } from '../../../scripts/simulators/self-signed-certificate.ts'
import type { Db } from '../../../shared/store/db.ts'
import { dbFailure as failure } from '../../support/db-failure.ts'
import { openMySql } from '../../support/open-door.ts'
import { describeOnOwnServers } from '../../support/server-suites.ts'

const folder = mkdtempSync(join(tmpdir(), 'ms-tls-'))
const { certificate, key } = selfSignedCertificate(['localhost'])
const certificatePath = join(folder, 'certificate.pem')
const otherPath = join(folder, 'other.pem')
const keyPath = join(folder, 'key.pem')
writeFileSync(certificatePath, certificate)
writeFileSync(otherPath, selfSignedCertificate(['localhost']).certificate)
writeFileSync(keyPath, key, { mode: 0o600 })

afterAll(() => rmSync(folder, { recursive: true }))
const serverOptions = [`--ssl-cert=${certificatePath}`, `--ssl-key=${keyPath}`]

describeOnOwnServers(
  'the MySQL door over TLS',
  (server, kind) => {
    const doors: Db[] = []
    afterEach(async () => {
      for (const door of doors.splice(0)) await door.close()
    })
    const open = (url: string) => {
      const db = openMySql({ url, connections: 1, timeoutMs: () => 1500 })
      doors.push(db)
      return db
    }
    const reloadCertificate = kind === 'MySQL' ? 'alter instance reload tls' : 'flush ssl'
    const secured = (query: string) => `${server().url}${query}`

    test.each([
      ['ssl=true', true],
      ['ssl-mode=verify_ca', true],
      ['ssl-mode=required', false],
    ])('with %s the connection is encrypted', async (query, needsAuthority) => {
      const url = new URL(secured(`?${query}${needsAuthority ? `&ssl-ca=${certificatePath}` : ''}`))
      url.hostname = 'localhost'
      const db = open(url.href)
      const { rows: status } = await db.query("show session status like 'Ssl_cipher'")
      expect(status[0]?.Value).toMatch(/^TLS_|-/)
    })

    test('a certificate of another authority is refused before the login', async () => {
      for (const query of ['?ssl=true', `?ssl-mode=verify_ca&ssl-ca=${otherPath}`]) {
        const url = new URL(secured(query))
        url.hostname = 'localhost'
        expect(await failure(open(url.href).query('select 1'))).toMatchObject({
          failure: 'unreachable',
          outcome: 'none',
        })
      }
    })

    test('a certificate for another name is refused, unless only its authority counts', async () => {
      const other = selfSignedCertificate(['db.example'])
      writeFileSync(certificatePath, other.certificate)
      writeFileSync(keyPath, other.key)
      await open(secured('')).query(reloadCertificate)
      try {
        const url = new URL(secured(`?ssl=true&ssl-ca=${certificatePath}`))
        url.hostname = 'localhost'
        expect(await failure(open(url.href).query('select 1'))).toMatchObject({
          failure: 'unreachable',
          outcome: 'none',
        })
        await open(secured(`?ssl-mode=verify_ca&ssl-ca=${certificatePath}`)).query('select 1')
      } finally {
        writeFileSync(certificatePath, certificate)
        writeFileSync(keyPath, key)
        await open(secured('')).query(reloadCertificate)
      }
    })
  },
  { serverOptions },
)
