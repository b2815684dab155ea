import { crc32, deflateSync } from 'node:zlib'

/**
 * A square picture in shades of grey. `shadeAt` gives 0 (black) to 255 for a place from 0 to 1; `texts` become `tEXt` chunks.
 * https://www.w3.org/TR/png-3/
 */
export function grayscalePng(
  widthPx: number,
  shadeAt: (x: number, y: number) => number,
  texts: Record<string, string>,
): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(widthPx, 0)
  header.writeUInt32BE(widthPx, 4)
  header[8] = 8
  // A byte before each line says how it is filtered: not at all.
  const lines = Buffer.alloc((widthPx + 1) * widthPx)
  for (let row = 0; row < widthPx; row += 1) {
    for (let column = 0; column < widthPx; column += 1) {
      const shade = shadeAt((column + 0.5) / widthPx, (row + 0.5) / widthPx)
      lines[row * (widthPx + 1) + 1 + column] = shade
    }
  }
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    ...Object.entries(texts).map(([name, text]) =>
      chunk('tEXt', Buffer.from(`${name}\0${text}`, 'latin1')),
    ),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
