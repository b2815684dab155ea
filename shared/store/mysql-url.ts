/** What a `mysql://` URL says. Checked when the door is opened, so that a wrong one is refused at the start. */

import { DatabaseUrlError } from './database-url-error.ts'

/** Where and how to connect. */
export interface MySqlTarget {
  host: string
  port: number
  user: string
  password: string
  database: string
  tls: MySqlTls | undefined
}

/** How far the server's certificate is checked, and the PEM file of the authorities to trust instead of Node's own. */
export interface MySqlTls {
  verify: 'nothing' | 'authority' | 'authority-and-name'
  authorityPath: string | undefined
}

/**
 * Reads `mysql://user:password@host:3306/database`; user, password and database may be percent-encoded.
 * TLS is used when the URL asks for it, by MySQL's own names:
 * - `ssl=true`, or `ssl-mode=verify_identity`: certificate and host name are checked
 * - `ssl-mode=verify_ca`: the certificate is checked, not the name (a server known by its address)
 * - `ssl-mode=required`: encrypted, nothing is checked; `ssl-mode=disabled`: no TLS
 * - `ssl-ca=/path.pem`: the authorities to trust
 *
 * https://dev.mysql.com/doc/refman/8.0/en/connecting-using-uri-or-key-value-pairs.html
 * @throws {DatabaseUrlError}
 */
export function parseMySqlUrl(text: string): MySqlTarget {
  // Node puts the text into its error's `input`, hence no `new URL` with that error as cause.
  if (!URL.canParse(text)) throw new DatabaseUrlError('not-a-url')
  const url = new URL(text)
  if (url.protocol !== 'mysql:') throw new DatabaseUrlError('scheme')
  const host = decoded(url.hostname.replace(/^\[(.*)\]$/, '$1'), 'host')
  const user = decoded(url.username, 'user')
  const database = decoded(url.pathname.slice(1), 'database')
  if (host === '') throw new DatabaseUrlError('no-host')
  if (user === '') throw new DatabaseUrlError('no-user')
  if (database === '') throw new DatabaseUrlError('no-database')
  return {
    host,
    port: Number(url.port || 3306),
    user,
    password: decoded(url.password, 'password'),
    database,
    tls: readTls(url.searchParams, host),
  }
}

type Verify = MySqlTls['verify']

const MODES: ReadonlyMap<string, Verify | undefined> = new Map<string, Verify | undefined>([
  ['disabled', undefined],
  ['required', 'nothing'],
  ['verify_ca', 'authority'],
  ['verify_identity', 'authority-and-name'],
])

function readTls(parameters: URLSearchParams, host: string): MySqlTls | undefined {
  let verify: Verify | undefined
  let authorityPath: string | undefined
  for (const [name, value] of parameters) {
    if (name === 'ssl') {
      if (value !== 'true' && value !== 'false') throw new DatabaseUrlError('ssl-value')
      if (value === 'true') verify ??= 'authority-and-name'
    } else if (name === 'ssl-mode') {
      const mode = value.toLowerCase()
      if (!MODES.has(mode)) {
        throw new DatabaseUrlError('ssl-mode-value', [...MODES.keys()].join(', '))
      }
      verify = MODES.get(mode)
    } else if (name === 'ssl-ca') {
      authorityPath = value
    } else {
      throw new DatabaseUrlError('unknown-parameter', printable(name))
    }
  }
  if (verify === undefined) {
    if (authorityPath !== undefined) throw new DatabaseUrlError('ssl-ca-unused')
    return undefined
  }
  if (verify === 'authority-and-name' && /^[\d.]+$|:/.test(host)) {
    throw new DatabaseUrlError('ssl-host-address')
  }
  return { verify, authorityPath }
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new DatabaseUrlError('percent-encoding', part)
  }
}

/** A parameter's name for a message; an unescaped `?` in a password can make one of anything. */
function printable(name: string): string {
  return /^[\w-]{1,40}$/.test(name) ? name : '(a name that is not a word)'
}
