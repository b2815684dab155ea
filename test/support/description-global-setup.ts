/** The API's description for a whole `vitest run`: answers of functions are held against it. Listed in vitest.config.ts. */

import type { TestProject } from 'vitest/node'
import { describeApi } from '../../scripts/openapi/document.ts'
import type { OpenApiDocument } from '../../scripts/openapi/shapes.ts'

declare module 'vitest' {
  interface ProvidedContext {
    description: OpenApiDocument
  }
}

/** Describes the API once. */
export async function setup(project: TestProject): Promise<void> {
  project.provide('description', await describeApi())
}
