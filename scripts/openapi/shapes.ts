/** The shapes of OpenAPI, as far as this project writes and reads them. */

import type { JsonSchema } from '@valibot/to-json-schema'

/** The document, as far as this project looks into it. */
export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; description: string }
  paths: Record<string, Record<string, OperationObject>>
  components: { schemas: Record<string, JsonSchema>; examples: Record<string, ExampleObject> }
}

/** An example of a body. */
export interface ExampleObject {
  summary: string
  value: unknown
}

/** A body's schema, its examples, and how a form writes each field. */
export interface MediaTypeObject {
  schema: JsonSchema
  examples?: Record<string, ExampleObject | { $ref: string }>
  encoding?: Record<string, { contentType: string }>
}

/** An answer of one status. */
export interface ResponseObject {
  description: string
  headers?: Record<string, unknown>
  content?: Record<string, MediaTypeObject>
}

/** A parameter of a path, a query or a header. */
export type ParameterObject =
  | { $ref: string }
  | { name: string; in: string; required: boolean; schema: JsonSchema; example?: unknown }

/** A method of a path. */
export interface OperationObject {
  operationId: string
  summary: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: ParameterObject[]
  requestBody?: { required: boolean; content: Record<string, MediaTypeObject> }
  responses: Record<string, ResponseObject>
}
