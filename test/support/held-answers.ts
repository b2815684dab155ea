/** Holds whatever functions answer, in any test, against the API's description. */

import { inject } from 'vitest'
import type { OpenApiDocument } from '../../scripts/openapi/shapes.ts'
import { ratingForm } from '../../shared/domain/form.ts'
import type { FormDefinition } from '../../shared/domain/form-definition.ts'
import { type DescribedApi, type ReceivedAnswer, readDescription } from './described-api.ts'
import { ratingForm as builtWith } from './forms/five-stars.ts'

/** Functions are built with the tests’ own form; who adapts the shipped one describes another. */
const isDescribed = columnsOf(builtWith) === columnsOf(ratingForm)

let reading: Promise<DescribedApi> | undefined

async function read(): Promise<DescribedApi> {
  const provided: OpenApiDocument | undefined = inject('description')
  if (provided) return readDescription(provided)
  const { describeApi } = await import('../../scripts/openapi/document.ts')
  return readDescription(await describeApi())
}

/** @throws {Error} with what the answer does that the description does not say; routes that are none are not looked at */
export async function holdAgainstDescription(route: string, answer: ReceivedAnswer): Promise<void> {
  if (!isDescribed) return
  reading ??= read()
  const api = await reading
  if (!api.operation(route)) return
  const faults = api.faultsOf(route, answer)
  if (faults.length > 0) throw new Error(`Not as the API is described:\n${faults.join('\n')}`)
}

/** `fetch`, with the answer held against the description. */
export async function heldFetch(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init)
  const text = await response.clone().text()
  await holdAgainstDescription(`${init.method ?? 'GET'} ${new URL(url).pathname}`, {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: text === '' || !isJson(response) ? text || undefined : JSON.parse(text),
  })
  return response
}

function isJson({ headers }: Response): boolean {
  return /^application\/(.+\+)?json\b/.test(headers.get('content-type') ?? '')
}

function columnsOf({ grades, texts }: FormDefinition): string {
  return [...grades, ...texts]
    .map(({ name }) => name)
    .sort()
    .join()
}
