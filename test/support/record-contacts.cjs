// Preloaded into a process under test: writes every host it connects to or looks up, one per line, to CONTACTS_FILE.
'use strict'
const dns = require('node:dns')
const fs = require('node:fs')
const net = require('node:net')
const dgram = require('node:dgram')

const record = (what) => fs.appendFileSync(process.env.CONTACTS_FILE, `${what}\n`)

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (...args) {
  // Node normalises to [options, callback] before it gets here; calls from outside may still pass port and host.
  const first = Array.isArray(args[0]) ? args[0][0] : args[0]
  const options = typeof first === 'object' ? first : { port: first, host: args[1] }
  // A path is a pipe of this machine, such as the one tsx looks for.
  if (!options.path) record(`connect ${options.host ?? 'localhost'}:${options.port}`)
  return connect.apply(this, args)
}
for (const owner of [dns, dns.promises])
  for (const name of Object.keys(owner).filter((key) => /^(lookup|resolve|reverse)/.test(key))) {
    const original = owner[name]
    owner[name] = function (host, ...rest) {
      record(`dns ${host}`)
      return original.call(this, host, ...rest)
    }
  }
const send = dgram.Socket.prototype.send
dgram.Socket.prototype.send = function (...args) {
  record(`udp ${args.at(-2)}`)
  return send.apply(this, args)
}
