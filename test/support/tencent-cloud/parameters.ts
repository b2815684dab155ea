/**
 * What parameters each action takes, read out of the official SDK's own declarations, so that a misspelt or mistyped
 * parameter is refused here as the cloud refuses it (cloud.tencent.com/document/product/583/17238, common errors).
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Refusal } from './refusal.ts'

interface Field {
  type: string
  required: boolean
}
type Shape = Map<string, Field>

export interface ParameterTable {
  actions: ReadonlySet<string>
  /** Throws a `Refusal` naming the first parameter that the action does not take, lacks, or takes as another type. */
  check(action: string, parameters: unknown): void
}

function sdkFile(name: string): string {
  const require = createRequire(import.meta.url)
  const file = `tencentcloud-sdk-nodejs-scf/tencentcloud/services/scf/v20180416/${name}`
  return readFileSync(require.resolve(file), 'utf8')
}

function shapesIn(declarations: string): Map<string, Shape> {
  const shapes = new Map<string, Shape>()
  let current: Shape | undefined
  for (const line of declarations.split('\n')) {
    const opened = /^export interface (\w+) \{/.exec(line)
    if (opened?.[1]) {
      current = new Map()
      shapes.set(opened[1], current)
    } else if (line === '}') current = undefined
    const field = /^ {4}(\w+)(\?)?: (.+);$/.exec(line)
    if (current && field?.[1] && field[3])
      current.set(field[1], { type: field[3], required: field[2] === undefined })
  }
  return shapes
}

/** Reads the installed `tencentcloud-sdk-nodejs-scf`; `extra` adds declarations in the same notation. */
export function parameterTable(extra = ''): ParameterTable {
  const shapes = shapesIn(`${sdkFile('scf_models.d.ts')}\n${extra}`)
  const actions = new Set(
    [...shapes.keys()].flatMap((name) => (name.endsWith('Request') ? [name.slice(0, -7)] : [])),
  )

  const checkShape = (shape: Shape, value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) wrongType(path)
    for (const [name, inner] of Object.entries(value as object)) {
      const field = shape.get(name)
      if (!field) throw new Refusal('UnknownParameter', `参数 \`${path}${name}\` 无法识别。`)
      checkType(field.type, inner, path + name)
    }
    for (const [name, field] of shape)
      if (field.required && !Object.hasOwn(value as object, name))
        throw new Refusal('MissingParameter', `请求缺少必选参数 \`${path}${name}\`。`)
  }

  const checkType = (type: string, value: unknown, path: string): void => {
    const element = /^Array<(.+)>$/.exec(type)?.[1]
    if (element) {
      if (!Array.isArray(value)) wrongType(path)
      for (const [index, item] of (value as unknown[]).entries())
        checkType(element, item, `${path}.${index}`)
    } else if (type === 'number') {
      // The one number of these actions with a fraction.
      const isNumber = path.endsWith('.Weight')
        ? typeof value === 'number'
        : Number.isInteger(value)
      if (!isNumber) wrongType(path)
    } else if (type === 'string' || type === 'boolean') {
      if (typeof value !== type) wrongType(path)
    } else {
      const shape = shapes.get(type)
      if (!shape) throw new Error(`the SDK's declarations do not tell what ${type} is`)
      checkShape(shape, value, `${path}.`)
    }
  }

  return {
    actions,
    check(action, parameters) {
      const shape = shapes.get(`${action}Request`)
      if (!shape) throw new Refusal('InvalidAction', `接口 \`${action}\` 不存在。`)
      checkShape(shape, parameters, '')
    },
  }
}

function wrongType(path: string): never {
  throw new Refusal('InvalidParameter', `参数 \`${path.replace(/\.$/, '')}\` 的类型不正确。`)
}
