import path from 'node:path'
import type { Plugin } from 'vitest/config'
import { RATING_FORM } from './built-with.ts'

/** Endpoints that a test runs without a bundle have the form that bundles have. */
export const sameForm: Plugin = {
  name: 'same-form',
  enforce: 'pre',
  load: (id) =>
    /\/shared\/domain\/form\.ts$/.test(id)
      ? `export { ratingForm } from '${path.resolve(RATING_FORM)}'`
      : undefined,
}
