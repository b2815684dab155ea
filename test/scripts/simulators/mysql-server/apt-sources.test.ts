import { expect, test } from 'vitest'
import { mirrorsIn } from '../../../../scripts/simulators/mysql-server/apt-sources.ts'

function mirrorsOf(name: string, text: string) {
  return mirrorsIn([{ name, text }])
}

test('the mirror of a deb822 file is found, with its keyring, once for all its suites', () => {
  const text = `# What the image came with
Types: deb deb-src
# URIs: http://old.example/debian
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`
  expect(mirrorsOf('debian.sources', text)).toEqual([
    { uri: 'http://mirror.example/debian', keyring: '/usr/share/keyrings/archive.gpg' },
    { uri: 'http://mirror.example/debian-security', keyring: undefined },
  ])
})

test('the mirror of a one-line file is found, with and without options', () => {
  const text = `# deb http://old.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # ours
deb [arch=arm64 signed-by=/etc/apt/keyrings/a.gpg] https://other.example/debian/ bookworm-updates main
deb http://mirror.example/debian bookworm-updates main
`
  expect(mirrorsOf('sources.list', text)).toEqual([
    { uri: 'http://mirror.example/debian', keyring: undefined },
    { uri: 'https://other.example/debian/', keyring: '/etc/apt/keyrings/a.gpg' },
  ])
})

test.each([
  [
    'switched off',
    'a.sources',
    'Types: deb\nURIs: http://a.example\nSuites: x\nComponents: main\nEnabled: no',
  ],
  ['without main', 'a.list', 'deb http://a.example bookworm stable'],
  ['for sources only', 'a.sources', 'Types: deb-src\nURIs: http://a.example\nComponents: main'],
  ['a disc', 'sources.list', 'deb cdrom:[Debian_12]/ bookworm main'],
  ['a comment', 'sources.list', '#deb http://a.example bookworm main'],
  ['nothing', 'sources.list', ''],
])('an entry that is %s is no mirror', (_what, name, text) => {
  expect(mirrorsOf(name, text)).toEqual([])
})

test('a key written out in the entry is not taken for a keyring file', () => {
  const text = `Types: deb
URIs: http://a.example/debian
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
`
  expect(mirrorsOf('a.sources', text)).toEqual([
    { uri: 'http://a.example/debian', keyring: undefined },
  ])
})
