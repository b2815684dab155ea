/** The API's description: OpenAPI 3.1, made from the endpoints, the catalogue of problems and what is written of each route. */

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { JsonSchema } from '@valibot/to-json-schema'
import { projectFolder } from '../build/bundle.ts'
import { introduction, tagOf } from './chapters.ts'
import { readEndpoints, type ServedEndpoint } from './endpoints.ts'
import { headers, requestHeader, securitySchemes } from './headers.ts'
import { operationOf } from './operation.ts'
import { operations } from './operations.ts'
import { problemCodes, problemExample, problemSchema, problemsOf } from './problems.ts'
import type { OpenApiDocument } from './shapes.ts'

/** Writes the description of these endpoints, or of all. @throws {Error} naming what cannot be described */
export async function describeApi(endpoints?: readonly ServedEndpoint[]): Promise<OpenApiDocument> {
  const served = endpoints ?? (await readEndpoints())
  const { version } = JSON.parse(
    await readFile(path.join(projectFolder, 'package.json'), 'utf8'),
  ) as { version: string }
  const schemas: Record<string, JsonSchema> = { Problem: problemSchema() }
  const paths: OpenApiDocument['paths'] = {}
  for (const each of inReadingOrder(served)) {
    const [method = '', at = ''] = each.endpoint.route.split(' ')
    paths[at] ??= {}
    paths[at][method.toLowerCase()] = await operationOf(each, schemas)
  }
  const homes = [...new Set(inReadingOrder(served).map(({ home }) => home))]
  const document = {
    openapi: '3.1.1',
    info: {
      title: 'miniscore',
      version,
      description: introduction(),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      { url: '/', description: 'Where the functions answer: their URLs, a domain, `npm run dev`.' },
    ],
    tags: homes.map(tagOf),
    paths,
    components: {
      securitySchemes,
      headers,
      parameters: requestHeader,
      schemas: sorted(schemas),
      examples: Object.fromEntries(
        problemCodes
          .filter((code) => served.some(({ endpoint }) => problemsOf(endpoint).includes(code)))
          .map((code) => [code, problemExample(code)]),
      ),
    },
  }
  // What is undefined in it does not exist in JSON.
  return JSON.parse(JSON.stringify(document)) as OpenApiDocument
}

/** As they are written of: logging in comes first. */
function inReadingOrder(served: readonly ServedEndpoint[]): ServedEndpoint[] {
  const routes = Object.keys(operations)
  const placeOf = ({ endpoint }: ServedEndpoint): number => routes.indexOf(endpoint.route)
  return [...served].sort((a, b) => placeOf(a) - placeOf(b))
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
