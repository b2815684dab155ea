import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import type { Authority } from '../../shared/authority.ts'
import { type AnyEndpoint, defineEndpoint, findEndpoint, methodsAt } from '../../shared/endpoint.ts'
import type { RatingStore } from '../../shared/ports.ts'

const shape = { auth: 'none', input: v.looseObject({}), output: v.unknown() } as const
const handle = async () => ({ output: {} })
const endpoints = [
  defineEndpoint()({ ...shape, route: 'POST /score', handle }),
  defineEndpoint()({ ...shape, route: 'GET /score', handle }),
  defineEndpoint()({ ...shape, route: 'DELETE /login/devices/{id}', handle }),
]

describe('an endpoint is found', () => {
  test('by method and path', () => {
    const { endpoint } = findEndpoint(endpoints, { method: 'GET', path: '/score' })
    expect(endpoint.route).toBe('GET /score')
  })

  test('with the parameters of its path, exactly as they came', () => {
    const found = findEndpoint(endpoints, { method: 'DELETE', path: '/login/devices/%2Fx' })
    expect(found.parameters).toEqual({ id: '%2Fx' })
  })

  test.each(['/', '/scores', '/score/', '/Score', '/login/devices', '/login/devices/a/b'])(
    'and %s is not, with 404',
    (path) => {
      expect(() => findEndpoint(endpoints, { method: 'GET', path })).toThrow('not-found')
    },
  )

  test('and another method is told the methods there are', () => {
    expect(() => findEndpoint(endpoints, { method: 'PUT', path: '/score' })).toThrow(
      expect.objectContaining({ code: 'method-not-allowed', details: { allow: ['POST', 'GET'] } }),
    )
  })
})

describe('what a path offers', () => {
  test('is every method of its endpoints', () => {
    expect(methodsAt(endpoints, '/score')).toEqual(['POST', 'GET'])
    expect(methodsAt(endpoints, '/login/devices/x')).toEqual(['DELETE'])
  })

  test('is 404 where nothing is', () => {
    expect(() => methodsAt(endpoints, '/nowhere')).toThrow('not-found')
  })
})

test('a function that lacks what an endpoint needs does not compile', () => {
  const needy = defineEndpoint<{ ratings: RatingStore }>()({ ...shape, route: 'GET /x', handle })
  const enough: AnyEndpoint<Authority & { ratings: RatingStore }> = needy
  // @ts-expect-error: no ratings
  const tooLittle: AnyEndpoint<Authority> = needy
  expect(enough).toBe(tooLittle)
})
