// Run by the runtime's own Node: node --hash-seed=1 compile-ahead.cjs <wrapped source> <its name in stacks> <cache>.
const { readFileSync, writeFileSync } = require('node:fs')
const { setFlagsFromString } = require('node:v8')
const { Script } = require('node:vm')

const [, , source, filename, cache] = process.argv
// Every function is compiled now: which of them a first answer needs differs from answer to answer.
setFlagsFromString('--no-lazy')
const script = new Script(readFileSync(source, 'latin1'), { filename })
// V8 only takes a cache that was made with the flags it has then. The fixed seed has made the bytes the same at every run.
setFlagsFromString('--lazy')
setFlagsFromString('--hash-seed=0')
writeFileSync(cache, script.createCachedData())
