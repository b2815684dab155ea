/** What is measured is what is deployed: bundles compiled ahead, on the very Node of the runtime, where that is at hand. */

import type { RuntimeNode } from '../build/code-cache.ts'
import { findRuntimeNode, runtimeNodeVersion } from '../tencent/runtime-node.ts'

const [major = '', minor = ''] = runtimeNodeVersion().split('.')

/** Compiles bundles ahead; undefined where `npm run runtime -- get` has not brought it. */
export const runtimeNode: RuntimeNode | undefined = findRuntimeNode(`Nodejs${major}.${minor}`)

/** The Node that measured processes run on. */
export const measuredNode: RuntimeNode = runtimeNode ?? {
  file: process.execPath,
  version: process.version,
}

/** Why nothing could be compiled ahead. */
export const withoutRuntimeNode = `no Node ${runtimeNodeVersion()} on this machine (npm run runtime -- get)`
