/**
 * An esbuild plugin that leaves out of mysql2 what the MySQL door never reaches: character set
 * tables, Amazon's certificates, error names, pools, the server side, run-time code generation.
 * A bundle shrinks to a twelfth, and several built-in modules are no longer loaded at a cold start.
 *
 * Every replacement names the module it stands for; when mysql2 no longer has one of them the build
 * fails, since nobody can say then what else has moved. Only for code that uses `createConnection` with
 * `disableEval: true` and a utf8mb4 character set (shared/store/mysql-connection.ts).
 */
import { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import type { Plugin } from 'esbuild'

/** mysql2's own modules that are replaced, by path inside the package. */
const OWN_MODULES: Readonly<Record<string, string>> = {
  'index.js': `
    exports.createConnection = require('./lib/create_connection.js')
    exports.TypedParameter = require('./lib/packets/typed_parameter.js').types`,
  'package.json': `exports.version = 'slim'`,
  // Numbers are what the door passes on.
  'lib/constants/errors.js': `module.exports = {}`,
  'lib/constants/ssl_profiles.js': `module.exports = {}`,
  // The one the door asks for, the driver's default, and the mark of bytes.
  'lib/constants/charsets.js': `module.exports = { UTF8MB4_BIN: 46, UTF8MB4_UNICODE_CI: 224, BINARY: 63 }`,
  // Results come in utf8mb4 (the door checks character_set_results), names of columns too.
  'lib/constants/charset_encodings.js': `
    const encodings = new Array(400).fill('utf8')
    for (const id of [5, 8, 15, 31, 47, 48, 49, 94]) encodings[id] = 'latin1'
    encodings[11] = encodings[65] = 'ascii'
    encodings[63] = 'binary'
    module.exports = encodings`,
  'lib/constants/encoding_charset.js': `module.exports = { utf8: 45, latin1: 5, ascii: 11, binary: 63 }`,
  // The original tries to load an optional highlighter, which costs a walk through the file system.
  'lib/helpers.js': `
    exports.typeMatch = (type, list, types) =>
      Array.isArray(list) ? list.some((name) => type === types[name]) : !!list
    exports.fieldEscape = (name) => name`,
  'lib/tracing.js': `
    exports.shouldTrace = () => false
    exports.traceCallback = (channel, start, position, context, self, ...rest) =>
      start.apply(self, rest)`,
  // disableEval: rows are read by the static parsers.
  'lib/parsers/binary_parser.js': refuseUse('binary_parser'),
  'lib/parsers/text_parser.js': refuseUse('text_parser'),
  'lib/compressed_protocol.js': refuseUse('compressed_protocol'),
  'lib/promise/connection.js': refuseUse('promise'),
  'lib/commands/binlog_dump.js': refuseUse('binlog_dump'),
  'lib/commands/change_user.js': refuseUse('change_user'),
  'lib/commands/register_slave.js': refuseUse('register_slave'),
  'lib/commands/reset_connection.js': refuseUse('reset_connection'),
  'lib/commands/server_handshake.js': refuseUse('server_handshake'),
  'lib/packets/binlog_dump.js': refuseUse('binlog_dump'),
  'lib/packets/change_user.js': refuseUse('change_user'),
  'lib/packets/register_slave.js': refuseUse('register_slave'),
  'lib/packets/reset_connection.js': refuseUse('reset_connection'),
}

/** Packages, and built-in modules, that mysql2 asks for and is given something smaller. */
const PACKAGES: Readonly<Record<string, string>> = {
  // Node's own encodings never get here. The greeting is read as CESU-8, which is UTF-8 for all it can
  // contain; nothing else can come up, see charset_encodings.js above.
  'iconv-lite': `
    exports.getDecoder = exports.getEncoder = (encoding) => {
      if (encoding !== 'cesu8') throw new Error('this build knows no character set ' + encoding)
      return {
        write: (data) => (typeof data === 'string' ? Buffer.from(data) : data.toString()),
        end: () => '',
      }
    }`,
  'named-placeholders': refuseUse('named-placeholders'),
  // Values never go into the text of a statement.
  'sql-escaper': `
    exports.format = (sql, values) => {
      if (values && values.length > 0) throw new Error('values belong into execute')
      return sql
    }`,
  long: `
    module.exports = class {
      constructor(low, high, unsigned) {
        const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
        this.value = unsigned ? bits : BigInt.asIntN(64, bits)
      }
      toNumber() { return Number(this.value) }
      toString() { return this.value.toString() }
    }`,
  // Loaded when a connection asks for TLS: 4 ms that plain TCP need not pay.
  tls: `
    exports.connect = (...rest) => require('node:tls').connect(...rest)
    exports.createSecureContext = (options) => require('node:tls').createSecureContext(options)
    exports.checkServerIdentity = (...rest) => require('node:tls').checkServerIdentity(...rest)
    exports.TLSSocket = { [Symbol.hasInstance]: (value) => value instanceof require('node:tls').TLSSocket }`,
}

/** The plugin; without effect in a bundle that does not contain mysql2. */
export function slimMysql2(): Plugin {
  return {
    name: 'slim-mysql2',
    setup(build) {
      const root = dirname(createRequire(import.meta.url).resolve('mysql2/package.json'))
      const replaced = new Set<string>()

      build.onStart(() => replaced.clear())

      build.onResolve({ filter: /^[^./]/ }, ({ path, importer }) => {
        if (!Object.hasOwn(PACKAGES, path) || !isInside(root, importer)) return undefined
        return { path, namespace: 'slim-mysql2' }
      })
      build.onLoad({ filter: /.*/, namespace: 'slim-mysql2' }, ({ path }) => {
        replaced.add(path)
        return { contents: PACKAGES[path] ?? '', loader: 'js', resolveDir: root }
      })
      build.onLoad({ filter: /[\\/]mysql2[\\/].*\.js(on)?$/ }, ({ path }) => {
        const name = relative(root, path).split(sep).join('/')
        const contents = OWN_MODULES[name]
        if (contents === undefined) return undefined
        replaced.add(name)
        return { contents, loader: 'js', resolveDir: dirname(path) }
      })

      build.onEnd(() => {
        if (!replaced.has('index.js')) return undefined
        const missed = Object.keys({ ...OWN_MODULES, ...PACKAGES }).filter(
          (name) => !replaced.has(name),
        )
        if (missed.length === 0) return undefined
        const text = `mysql2 no longer loads ${missed.join(', ')}: see scripts/build/slim-mysql2.ts`
        return { errors: [{ text }] }
      })
    },
  }
}

function isInside(folder: string, path: string): boolean {
  return path.startsWith(join(folder, sep))
}

/** A module that may be loaded but not used, whatever it is used as: function, class or object. */
function refuseUse(name: string): string {
  return `module.exports = function () { throw new Error('left out of this build: mysql2 ${name}') }`
}
