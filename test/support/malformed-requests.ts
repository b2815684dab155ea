/** Requests that do not follow HTTP, as whoever smuggles one inside another writes them. */

export function postRequest(headers: string, body: string) {
  return `POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`
}
export function getRequest(path: string, headers = '') {
  return `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers}\r\n`
}

/** What a lenient server would take for a request of its own. */
export const smuggled = getRequest('/facts')

/** Each is answered 400, and the function never sees anything of it. */
export const malformedRequests: readonly [name: string, message: string | Buffer][] = [
  ['two content-lengths', postRequest('content-length: 2\r\ncontent-length: 2', '{}')],
  ['two different content-lengths', postRequest('content-length: 0\r\ncontent-length: 2', '{}')],
  ['a list of content-lengths', postRequest('content-length: 2, 2', '{}')],
  ['a signed content-length', postRequest('content-length: +2', '{}')],
  ['a negative content-length', postRequest('content-length: -2', '{}')],
  ['a content-length in hex', postRequest('content-length: 0x2', '{}')],
  ['a content-length beyond all numbers', postRequest(`content-length: ${'9'.repeat(30)}`, '{}')],
  [
    'content-length and transfer-encoding',
    postRequest('content-length: 4\r\ntransfer-encoding: chunked', `0\r\n\r\n${smuggled}`),
  ],
  [
    'transfer-encoding and content-length',
    postRequest('transfer-encoding: chunked\r\ncontent-length: 4', `0\r\n\r\n${smuggled}`),
  ],
  [
    'an unknown transfer-encoding',
    postRequest('transfer-encoding: xchunked', `0\r\n\r\n${smuggled}`),
  ],
  ['chunked that is not last', postRequest('transfer-encoding: chunked, identity', '0\r\n\r\n')],
  ['a space before the colon', postRequest('transfer-encoding : chunked', '0\r\n\r\n')],
  ['a folded header', postRequest('content-length: 2\r\nx-a: 1\r\n 2', '{}')],
  ['a header without a name', postRequest(': 1\r\ncontent-length: 2', '{}')],
  ['a header without a colon', postRequest('x-a\r\ncontent-length: 2', '{}')],
  ['NUL in a header', postRequest('x-a: 1\0\r\ncontent-length: 2', '{}')],
  ['a lone CR in a header', postRequest('x-a: 1\rcontent-length: 2', '{}')],
  ['a bad chunk size', postRequest('transfer-encoding: chunked', 'g\r\n{}\r\n0\r\n\r\n')],
  [
    'a chunk larger than it says',
    postRequest('transfer-encoding: chunked', '1\r\n{}\r\n0\r\n\r\n'),
  ],
  ['a chunk ended by LF alone', postRequest('transfer-encoding: chunked', '2\n{}\r\n0\r\n\r\n')],
  ['no host', 'GET /facts HTTP/1.1\r\n\r\n'],
  ['no such version', 'GET /facts HTTP/3.7\r\nhost: a\r\n\r\n'],
  ['a request line of HTTP/0.9', 'GET /facts\r\n\r\n'],
  ['a method in lower case', 'get /facts HTTP/1.1\r\nhost: a\r\n\r\n'],
  ['a space in the path', 'GET /fa cts HTTP/1.1\r\nhost: a\r\n\r\n'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex')],
  ['an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
]
