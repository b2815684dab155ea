/**
 * The floor as a server: one process on node:http, no framework. What a function of ours does is measured against this.
 * Prints `listening on URL`.
 */

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerTo } from './floor-statements.ts'

const server = createServer((request, response) => {
  readJson(request)
    .then((input) => answerTo(request.url ?? '', input))
    .then(
      (answer) => {
        const text = JSON.stringify(answer)
        const length = Buffer.byteLength(text)
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': length })
        response.end(text)
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
})

function readJson(request: IncomingMessage): Promise<Record<string, string | number>> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', reject)
    request.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))))
  })
}

server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
