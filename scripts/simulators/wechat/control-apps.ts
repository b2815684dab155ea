import * as v from 'valibot'
import { APP_STATES, type SimulatedApp } from './apps.ts'
import { ControlError, openid, optionalText, text } from './control-texts.ts'
import { weChatPaths } from './routes.ts'
import { TEMPLATE_KEY } from './subscribe-message.ts'
import type { World } from './world.ts'

const count = v.pipe(
  v.number('must be a number'),
  v.integer('must be a whole number'),
  v.minValue(0, 'must be at least 0'),
)
function texts(item: v.GenericSchema<string>) {
  return v.exactOptional(v.array(item, 'must be a list'))
}

/** `POST /sim/apps`: makes a mini program, or changes what is given of one that is there. */
export const AppOrder = v.strictObject({
  appid: v.pipe(text, v.regex(/^[A-Za-z0-9_-]{4,64}$/, 'must be 4 to 64 letters, digits, _ or -')),
  secret: optionalText,
  state: v.exactOptional(v.picklist(APP_STATES, `must be one of ${APP_STATES.join(', ')}`)),
  ipList: texts(v.pipe(text, v.ip('must be an IP address'))),
  pages: texts(v.pipe(text, v.regex(/^[^/?\s][^?\s]*$/, 'must be a path without / in front'))),
  quotas: v.exactOptional(
    v.record(
      v.picklist(weChatPaths, 'must be paths of endpoints'),
      v.strictObject({ perMinute: v.exactOptional(count), perDay: v.exactOptional(count) }),
      'must be a JSON object',
    ),
  ),
})
/** `POST /sim/templates` */
export const TemplateOrder = v.strictObject({
  templateId: v.pipe(text, v.nonEmpty('must not be empty')),
  keys: v.pipe(
    v.array(
      v.pipe(text, v.regex(TEMPLATE_KEY, 'must be a kind of value with a number, such as thing1')),
      'must be a list',
    ),
    v.minLength(1, 'must not be empty'),
  ),
  appid: optionalText,
})
/** `POST /sim/subscriptions`: the person taps 允许, once unless `times` says otherwise. */
export const SubscriptionOrder = v.strictObject({
  openid,
  templateId: v.pipe(text, v.nonEmpty('must not be empty')),
  times: v.optional(v.pipe(count, v.maxValue(10_000, 'must be at most 10000')), 1),
  appid: optionalText,
})
/** `POST /sim/tokens/revoke`: of one mini program, or of all. */
export const RevokeOrder = v.strictObject({ appid: optionalText })

/** The secret is told only when it was made up here. */
export function orderApp(world: World, order: v.InferOutput<typeof AppOrder>) {
  const { appid, secret, quotas = {} } = order
  const madeUp = world.random(16).toString('hex')
  const known = world.apps.find(appid)
  const app = known ?? world.apps.add({ appid, secret: secret ?? madeUp })
  if (secret !== undefined) app.secret = secret
  if (order.state !== undefined) app.state = order.state
  if (order.ipList !== undefined) app.ipList = order.ipList
  if (order.pages !== undefined) app.pages = order.pages
  for (const [path, quota] of Object.entries(quotas)) app.quotas.set(path, quota)
  return {
    appid,
    state: app.state,
    ipList: app.ipList,
    pages: app.pages,
    ...(known || secret !== undefined ? {} : { secret: madeUp }),
  }
}

export function orderTemplate(world: World, order: v.InferOutput<typeof TemplateOrder>) {
  const { templateId, keys, appid } = order
  appNamed(world, appid).subscriptions.templates.set(templateId, { templateId, keys })
  return { templateId, keys }
}

export function orderSubscription(world: World, order: v.InferOutput<typeof SubscriptionOrder>) {
  const { subscriptions } = appNamed(world, order.appid)
  if (!subscriptions.templates.has(order.templateId)) {
    throw new ControlError('templateId: there is no such template yet: POST /sim/templates first.')
  }
  return { left: subscriptions.agree(order.openid, order.templateId, order.times) }
}

export function orderRevocation(world: World, { appid }: v.InferOutput<typeof RevokeOrder>): void {
  const apps = appid === undefined ? world.apps.all() : [appNamed(world, appid)]
  for (const { tokens } of apps) tokens.revokeAll()
}

function appNamed(world: World, appid: string | undefined): SimulatedApp {
  const app = appid === undefined ? world.apps.first : world.apps.find(appid)
  if (!app)
    throw new ControlError('appid: there is no such mini program yet: POST /sim/apps first.')
  return app
}
