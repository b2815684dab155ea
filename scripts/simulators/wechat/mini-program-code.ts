import { createHash } from 'node:crypto'
import { grayscalePng } from './png.ts'
import { postedObject, Refused, requireToken, type WeChatRequest } from './wechat-request.ts'
import type { World } from './world.ts'

const SCENE = /^[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}$/
/** A page of the mini program: no leading slash, no parameters. */
const PAGE = /^[^/?\s][^?\s]*$/
const VERSIONS: readonly unknown[] = [undefined, 'release', 'trial', 'develop']
const USUAL_WIDTH_PX = 430
const DOTS = 16

/**
 * `POST /wxa/getwxacodeunlimit?access_token=`. The picture is a stand-in that no phone can read: dots that differ with scene and
 * page, which stand in it as texts as well (PNG's `tEXt`).
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/qrcode-link/qr-code/api_getunlimitedqrcode.html
 */
export function miniProgramCode(world: World, request: WeChatRequest): Buffer {
  const body = postedObject(request)
  const app = requireToken(world, request)
  const { scene, page = '', check_path: isChecked = true, width = USUAL_WIDTH_PX } = body
  if (typeof scene !== 'string' || !SCENE.test(scene)) throw new Refused(40129)
  if (typeof page !== 'string' || (page !== '' && !PAGE.test(page))) throw new Refused(41030)
  const isUnknown = page !== '' && app.pages.length > 0 && !app.pages.includes(page)
  if (isChecked !== false && isUnknown) throw new Refused(41030)
  if (!VERSIONS.includes(body.env_version)) throw new Refused(40097)
  if (!Number.isInteger(width) || Number(width) < 280 || Number(width) > 1280) {
    throw new Refused(40097)
  }
  const dots = createHash('sha256').update(`${app.appid}\n${page}\n${scene}`).digest()
  return grayscalePng(Number(width), (x, y) => shadeAt(x, y, dots), { scene, page })
}

/** White with a round field of dots; `x` and `y` run from 0 to 1. */
function shadeAt(x: number, y: number, dots: Buffer): number {
  if (Math.hypot(x - 0.5, y - 0.5) > 0.47) return 255
  const [column, row] = [Math.floor(x * DOTS), Math.floor(y * DOTS)]
  const isInDot = Math.hypot(x * DOTS - column - 0.5, y * DOTS - row - 0.5) < 0.4
  const bit = row * DOTS + column
  const isDark = (((dots[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1
  return isInDot && isDark ? 0 : 255
}
