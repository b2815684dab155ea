/**
 * V8's compiled form of a bundle, made at build and shipped beside it: a cold start then compiles nothing.
 *
 * V8 itself takes a cache by its own version and the length of the source, and two releases of Node may carry the same V8 with
 * different built-ins: a cache of 20.20.2 passes V8's check on 20.19.6 and then crashes it. So the loader takes a cache only
 * on exactly the Node it was made by, and compiles as ever on any other. That its bytes arrived whole is the zip's to check.
 */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface RuntimeNode {
  /** The program. */
  file: string
  /** As `process.version` says it there: `v20.19.6`. */
  version: string
}

/** As node:module wraps a file; the same for making a cache and for using it. */
const HEAD = '(function(exports,require,module,__filename,__dirname){'
const TAIL = '\n})'

const compileAheadProgram = fileURLToPath(new URL('./compile-ahead.cjs', import.meta.url))

/**
 * Puts a loader in the place of a bundle, and the bundle and its compiled form beside it; both are named after what the bundle
 * holds, so that one never meets the other's. @returns the names of the three, the loader first
 */
export async function compileAhead(file: string, node: RuntimeNode): Promise<readonly string[]> {
  const folder = path.dirname(file)
  const code = await readFile(file, 'latin1')
  const name = `main-${createHash('sha256').update(code, 'latin1').digest('hex').slice(0, 16)}`
  const source = path.join(folder, `${name}.wrapped`)
  await writeFile(source, `${HEAD}${code}${TAIL}`, 'latin1')
  const program = ['--hash-seed=1', compileAheadProgram]
  const args = [...program, source, `${name}.js`, path.join(folder, `${name}.cache`)]
  await promisify(execFile)(node.file, args, { env: {} }).finally(() => rm(source))
  await rename(file, path.join(folder, `${name}.js`))
  await writeFile(file, loaderOf(name, node))
  return [path.basename(file), `${name}.js`, `${name}.cache`]
}

/** `latin1`: esbuild writes plain ASCII, and reading that is quicker. What became of the cache is for the first log line. */
function loaderOf(name: string, { version }: RuntimeNode): string {
  return `'use strict'
const { readFileSync } = require('fs')
const { Script } = require('vm')
const filename = __dirname + '/${name}.js'
const code = readFileSync(filename, 'latin1')
let cachedData
if (process.version === '${version}' && process.platform + process.arch === 'linuxx64') {
  try {
    cachedData = readFileSync(__dirname + '/${name}.cache')
  } catch {}
}
const script = new Script('${HEAD}' + code + '\\n})', { filename, cachedData })
globalThis.CODE_CACHE = !cachedData ? 'not for ' + process.version : script.cachedDataRejected ? 'refused' : 'taken'
script.runInThisContext().call(exports, exports, require, module, __filename, __dirname)
`
}
