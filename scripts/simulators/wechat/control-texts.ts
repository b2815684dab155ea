import * as v from 'valibot'

/** Something asked of the simulator that it cannot do; the message is one sentence for the caller. */
export class ControlError extends Error {}

/** Members that orders have in common. */
export const text = v.string('must be a text')
export const optionalText = v.exactOptional(v.pipe(text, v.nonEmpty('must not be empty')))
export const openid = v.pipe(
  text,
  v.regex(/^[A-Za-z0-9_-]{6,64}$/, 'must be 6 to 64 letters, digits, _ or -'),
)
