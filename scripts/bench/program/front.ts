/**
 * A front for an event function, the same for all: an HTTP request becomes the event of a function URL, the handler's reply becomes
 * the answer. It lets several invocations run at a time, which the platform would spread over as many instances: so a
 * process is busy, and what a request costs is what is seen. Arguments: the bundle. Prints `listening on URL`.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { invocationContext, loadHandler } from './load-handler.ts'

const handler = loadHandler(process.argv[2] ?? '')

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    answer(request, Buffer.concat(chunks).toString('utf8'), response).catch((error: unknown) =>
      response.writeHead(500).end(String(error)),
    )
  })
})

/** https://cloud.tencent.com/document/product/583/96099 */
async function answer(
  { method, url, headers }: IncomingMessage,
  content: string,
  response: ServerResponse,
): Promise<void> {
  const event = { body: content, headers, httpMethod: method, path: url, queryString: {} }
  const reply = await handler(event, invocationContext())
  const body = Buffer.from(reply.body, reply.isBase64Encoded ? 'base64' : 'utf8')
  response.writeHead(reply.statusCode, { ...reply.headers, 'content-length': body.length })
  response.end(body)
}

server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
