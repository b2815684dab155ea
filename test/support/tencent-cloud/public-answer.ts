/** What the public gets at an address of the offline cloud, which listens on a port of this machine. */
import { get } from 'node:http'

export function answerAt(port: number, url: URL): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: url.pathname, headers: { host: url.host } }
    get(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    }).on('error', reject)
  })
}
