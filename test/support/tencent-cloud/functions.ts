/**
 * The functions of the offline cloud: one record per region, namespace and name, with the phases of
 * cloud.tencent.com/document/product/583/115197. A change starts a phase that lasts some GetFunction calls, and until
 * it is over every other change is refused.
 */
import { createHash, randomBytes } from 'node:crypto'
import { checkCode, checkConfiguration } from './function-rules.ts'
import { Refusal } from './refusal.ts'
import { advanceVersion, runnable } from './runnable.ts'
import type { Status, StoredFunction, Variables, Vpc } from './stored-function.ts'

/** The parameters CreateFunction and the two updates share; the table of the SDK has already checked their types. */
export interface FunctionParameters {
  FunctionName: string
  Namespace?: string
  Type?: string
  Runtime?: string
  Handler?: string
  Description?: string
  MemorySize?: number
  Timeout?: number
  Environment?: { Variables?: { Key?: string; Value?: string }[] }
  VpcConfig?: Vpc
  Role?: string
  ClsLogsetId?: string
  ClsTopicId?: string
  Code?: { ZipFile?: string }
  ZipFile?: string
  Tags?: { Key?: string; Value?: string }[]
  PublicNetConfig?: { PublicNetStatus?: string }
  Qualifier?: string
  IgnoreSysLog?: boolean
}

export type FunctionStore = ReturnType<typeof createFunctionStore>

function environmentOf(parameters: FunctionParameters): Variables | undefined {
  return (
    parameters.Environment &&
    Object.fromEntries(
      (parameters.Environment.Variables ?? []).map(({ Key = '', Value = '' }) => [Key, Value]),
    )
  )
}

function hasOutsideAccess({ PublicNetConfig }: FunctionParameters): boolean | undefined {
  return PublicNetConfig && PublicNetConfig.PublicNetStatus === 'ENABLE'
}

function defined<T extends object>(fields: { [K in keyof T]?: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Partial<T>
}

export interface FunctionStoreOptions {
  /** How many GetFunction calls a phase lasts. */
  phasePolls: number
  /** The cloud stores other bytes than it was sent. */
  repackages: boolean
  /** Why a function with this log topic cannot be created or updated; undefined when it can. */
  logFault: (topic: string) => string | undefined
}

const phases: readonly Status[] = ['Creating', 'Updating', 'Publishing', 'Deleting']
const failedPhases: Partial<Record<Status, Status>> = {
  Creating: 'CreateFailed',
  Updating: 'UpdateFailed',
  Publishing: 'PublishFailed',
  Deleting: 'DeleteFailed',
}

export function createFunctionStore(options: FunctionStoreOptions) {
  const functions = new Map<string, StoredFunction>()
  const failing = new Map<string, { reason: string; phase: Status | undefined }>()
  const keyOf = (region: string, parameters: { FunctionName?: string; Namespace?: string }) =>
    `${region}/${parameters.Namespace ?? 'default'}/${parameters.FunctionName}`

  const find = (region: string, parameters: { FunctionName?: string; Namespace?: string }) => {
    const found = functions.get(keyOf(region, parameters))
    if (!found)
      throw new Refusal('ResourceNotFound.Function', `函数 ${parameters.FunctionName} 不存在。`)
    return found
  }

  const mustBeActive = (stored: StoredFunction, deleting = false): StoredFunction => {
    const isDead = stored.status === 'CreateFailed' || stored.status === 'DeleteFailed'
    if (phases.includes(stored.status) || (isDead && !deleting))
      throw new Refusal(
        'FailedOperation.FunctionStatusError',
        `当前函数状态为 ${stored.status},无法进行此操作,请稍后重试。`,
      )
    return stored
  }

  const startPhase = (stored: StoredFunction, phase: Status): void => {
    stored.status = phase
    stored.pollsLeft = options.phasePolls
    stored.modifiedAt = new Date().toISOString()
  }

  const advance = (stored: StoredFunction): void => {
    if (!phases.includes(stored.status)) return
    if (stored.pollsLeft > 0) {
      stored.pollsLeft -= 1
      return
    }
    const told = failing.get(stored.name)
    const isMeant = told && (told.phase ?? stored.status) === stored.status
    if (isMeant) failing.delete(stored.name)
    const isAboutLogs = stored.status === 'Creating' || stored.status === 'Updating'
    const reason = isMeant ? told.reason : isAboutLogs ? options.logFault(stored.topic) : undefined
    stored.statusDescription = reason ?? ''
    if (reason !== undefined) stored.status = failedPhases[stored.status] ?? stored.status
    else if (stored.status === 'Deleting')
      functions.delete(
        keyOf(stored.region, { FunctionName: stored.name, Namespace: stored.namespace }),
      )
    else {
      stored.status = 'Active'
      stored.running = stored.zip
    }
  }

  return {
    find,
    mustBeActive,
    all: (): StoredFunction[] => [...functions.values()],
    /** A function that somebody else made. */
    add: (stored: StoredFunction): void =>
      void functions.set(`${stored.region}/${stored.namespace}/${stored.name}`, stored),
    startPhase,
    /** The next phase of this function (or the next of this kind) ends in its failed status, with this reason. */
    failNextPhase: (name: string, reason: string, phase?: Status): void =>
      void failing.set(name, { reason, phase }),

    create(region: string, parameters: FunctionParameters): void {
      if (functions.has(keyOf(region, parameters)))
        throw new Refusal(
          'ResourceInUse.FunctionName',
          `函数名 ${parameters.FunctionName} 已存在。`,
        )
      const zip = Buffer.from(parameters.Code?.ZipFile ?? '', 'base64')
      const stored: StoredFunction = {
        region,
        namespace: parameters.Namespace ?? 'default',
        name: parameters.FunctionName,
        id: `lam-${randomBytes(4).toString('hex')}`,
        type: parameters.Type === 'HTTP' ? 'HTTP' : 'Event',
        runtime: parameters.Runtime ?? 'Python2.7',
        handler: parameters.Handler ?? '',
        description: parameters.Description ?? '',
        memorySize: parameters.MemorySize ?? 128,
        timeoutSeconds: parameters.Timeout ?? 3,
        variables: environmentOf(parameters) ?? {},
        vpc: parameters.VpcConfig ?? {},
        role: parameters.Role ?? '',
        logset: parameters.ClsLogsetId ?? 'logset-default',
        topic: parameters.ClsTopicId ?? 'topic-default',
        hasOutsideAccess: hasOutsideAccess(parameters) ?? parameters.VpcConfig === undefined,
        ignoresSystemLog: false,
        tags: Object.fromEntries(
          (parameters.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]),
        ),
        zip,
        running: zip,
        status: 'Creating',
        statusDescription: '',
        pollsLeft: options.phasePolls,
        modifiedAt: new Date().toISOString(),
        triggers: [],
        versions: [],
        alias: { version: '$LATEST', description: '', calls: 0 },
      }
      checkConfiguration(stored)
      checkCode(stored)
      functions.set(keyOf(region, parameters), stored)
    },

    updateCode(region: string, parameters: FunctionParameters): void {
      const stored = mustBeActive(find(region, parameters))
      const zip = Buffer.from(parameters.ZipFile ?? parameters.Code?.ZipFile ?? '', 'base64')
      const next = { ...stored, zip, handler: parameters.Handler ?? stored.handler }
      checkConfiguration(next)
      checkCode(next)
      Object.assign(stored, { zip: next.zip, handler: next.handler })
      startPhase(stored, 'Updating')
    },

    updateConfiguration(region: string, parameters: FunctionParameters): void {
      const stored = mustBeActive(find(region, parameters))
      if (parameters.Runtime !== undefined && parameters.Runtime !== stored.runtime)
        throw new Refusal('InvalidParameterValue.Runtime', '函数的运行环境创建后不支持修改。')
      const next: StoredFunction = {
        ...stored,
        ...defined<StoredFunction>({
          description: parameters.Description,
          memorySize: parameters.MemorySize,
          timeoutSeconds: parameters.Timeout,
          variables: environmentOf(parameters),
          vpc: parameters.VpcConfig,
          role: parameters.Role,
          logset: parameters.ClsLogsetId,
          topic: parameters.ClsTopicId,
          ignoresSystemLog: parameters.IgnoreSysLog,
          // A network without a word about the outside loses it: the strictest reading of an undocumented default.
          hasOutsideAccess: hasOutsideAccess(parameters) ?? (parameters.VpcConfig && false),
        }),
      }
      checkConfiguration(next)
      Object.assign(stored, next)
      startPhase(stored, 'Updating')
    },

    delete(region: string, parameters: FunctionParameters): void {
      const stored = mustBeActive(find(region, parameters), true)
      if (failing.get(stored.name)?.phase === 'Deleting') startPhase(stored, 'Deleting')
      else functions.delete(keyOf(region, parameters))
    },

    /** Answers GetFunction; each call brings a running phase one step nearer its end. */
    describe(region: string, parameters: FunctionParameters): object {
      const whole = find(region, parameters)
      advance(whole)
      advanceVersion(whole, parameters.Qualifier)
      if (!functions.has(keyOf(region, parameters))) find(region, parameters)
      const stored = runnable(whole, parameters.Qualifier ?? '$LATEST')
      return {
        FunctionName: stored.name,
        FunctionId: stored.id,
        Namespace: stored.namespace,
        Type: stored.type,
        Runtime: stored.runtime,
        Handler: stored.handler,
        Description: stored.description,
        MemorySize: stored.memorySize,
        Timeout: stored.timeoutSeconds,
        Environment: {
          Variables: Object.entries(stored.variables).map(([Key, Value]) => ({ Key, Value })),
        },
        VpcConfig: { VpcId: '', SubnetId: '', ...stored.vpc },
        Role: stored.role,
        ClsLogsetId: stored.logset,
        ClsTopicId: stored.topic,
        CodeSize: stored.zip.length,
        Status: stored.status,
        StatusDesc: stored.statusDescription,
        StatusReasons: stored.statusDescription
          ? [{ ErrorCode: 'InternalError', ErrorMessage: stored.statusDescription }]
          : [],
        Triggers: [],
        Tags: Object.entries(whole.tags).map(([Key, Value]) => ({ Key, Value })),
        PublicNetConfig: { PublicNetStatus: stored.hasOutsideAccess ? 'ENABLE' : 'DISABLE' },
        ModTime: stored.modifiedAt,
        AvailableStatus: 'Available',
        Qualifier: parameters.Qualifier ?? '$LATEST',
        FunctionVersion: stored.version,
      }
    },

    /** Answers GetFunctionAddress: the digest is that of the stored package. */
    address(region: string, parameters: FunctionParameters): object {
      const stored = runnable(find(region, parameters), parameters.Qualifier ?? '$LATEST')
      const bytes = options.repackages ? Buffer.concat([stored.zip, Buffer.from('+')]) : stored.zip
      return {
        Url: `https://lambdacode.cos.${region}.myqcloud.com/${stored.name}.zip`,
        CodeSha256: createHash('sha256').update(bytes).digest('hex'),
      }
    },
  }
}
