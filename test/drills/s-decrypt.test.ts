import { afterEach, expect, test } from 'vitest'
import { decryptUserData, type EncryptedUserData } from '../../shared/wechat/user-data.ts'
import { isFullDrill, reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import { type DrillWorld, startDrillWorld } from '../support/drill-world.ts'
import { type BrokenBuild, loadPatched, type Patch } from '../support/patched-bundle.ts'
import {
  decryptAsSampleDoes,
  decryptCases,
  inputOf,
  sample,
  sampleData,
  undefinedIfThrown,
} from '../support/user-data.ts'
import { countForgeries, learnBytes } from '../support/user-data-attacks.ts'

const FORGERIES = isFullDrill ? 400_000 : 20_000
const ORACLE_REQUESTS = isFullDrill ? 5000 : 300
/** Each byte is asked for in 256 ways. */
const ORACLE_BYTES = 16

let world: DrillWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

type Decrypt = typeof decryptUserData

interface Findings {
  vectors: number
  wrongVectors: string[]
  forged: number
  learnt: number
}

/** Everything that is tried on the decryption itself. A broken one may throw; that is an answer as well. */
function attack(decrypt: Decrypt, forgeries: number): Findings {
  const quiet = undefinedIfThrown(decrypt as (input: EncryptedUserData) => object)
  const wrongVectors = decryptCases
    .filter(({ expect: expected }) => !expected.startsWith('either'))
    .filter((vector) => {
      const isAccepted = quiet(inputOf(vector)) !== undefined
      return isAccepted !== (vector.expect === 'accept')
    })
    .map(({ id }) => id)
  const answer = (input: EncryptedUserData): string => {
    try {
      return JSON.stringify(decrypt(input)) ?? 'refused'
    } catch (error) {
      return String(error)
    }
  }
  return {
    vectors: decryptCases.length,
    wrongVectors,
    forged: countForgeries(quiet, forgeries),
    learnt: learnBytes(answer, ORACLE_BYTES).length,
  }
}

interface OracleFindings {
  requests: number
  /** Different refusals there were before the session was locked. */
  refusals: number
  /** Requests that were decrypted in vain before the session was locked. */
  untilLocked: number
}

/** The same over HTTP: forged data of one session, again and again. */
async function askTheOracle(patches: readonly Patch[], requests: number): Promise<OracleFindings> {
  world = await startDrillWorld({ patches })
  const { token, openid } = await world.logIn()
  const { encryptedData, iv } = world.wechat.userData({ openid })
  const good = Buffer.from(encryptedData, 'base64')
  const refusals = new Set<string>()
  let untilLocked = 0
  for (let count = 0; count < requests; count++) {
    // Padding, text, JSON, watermark, length: wrong in turn.
    const forged = Buffer.from(good)
    const at = [forged.length - 17, 16, 40, 100][count % 4] ?? 0
    forged[at] = (forged[at] ?? 0) ^ (1 + (count % 255))
    const data = count % 5 === 4 ? forged.subarray(0, 16 * (1 + (count % 3))) : forged
    const body = { encryptedData: data.toString('base64'), iv }
    const answer = await world.call('POST /login/user-data', { token, body })
    if (answer.status === 429) continue
    untilLocked++
    refusals.add(answer.bytes)
  }
  return { requests, refusals: refusals.size, untilLocked }
}

test('nothing forged is taken for WeChat’s, and no refusal tells why', async () => {
  const findings = attack(decryptUserData, FORGERIES)
  const oracle = await askTheOracle([], ORACLE_REQUESTS)
  const { vectors, wrongVectors, forged, learnt } = findings
  const figures = {
    vectors: `${vectors - wrongVectors.length}/${vectors}`,
    forgeries: `${forged}/${FORGERIES}`,
    oracle: oracle.requests,
    refusals: oracle.refusals,
    learnt,
    lockedAfter: oracle.untilLocked,
  }
  const passed =
    wrongVectors.length + forged + learnt === 0 && oracle.refusals === 1 && oracle.untilLocked === 5
  await reportDrill({ drill: 'S', figures, passed })
  expect(findings).toEqual({ vectors, wrongVectors: [], forged: 0, learnt: 0 })
  expect(oracle).toEqual({ requests: ORACLE_REQUESTS, refusals: 1, untilLocked: 5 })
  // The published sample itself is read, and the published code fails everything of this.
  expect(decryptUserData(sample)).toEqual(sampleData)
  expect(countForgeries(undefinedIfThrown(decryptAsSampleDoes), 2000)).toBeGreaterThan(100)
}, 600_000)

const USER_DATA = 'shared/wechat/user-data.ts'
const broken: readonly BrokenBuild[] = [
  {
    name: 'the watermark’s appid',
    patches: [
      {
        file: USER_DATA,
        find: "if (!isObject(watermark) || own(watermark, 'appid') !== appid) return undefined",
        put: 'if (!isObject(watermark) || appid === "") return undefined',
      },
    ],
  },
  {
    name: 'whole UTF-8',
    patches: [{ file: USER_DATA, find: 'fatal: true', put: 'fatal: false' }],
  },
  {
    name: 'one answer for bad padding and bad text',
    patches: [
      {
        file: USER_DATA,
        find: 'const isPadded = faults === 0',
        put: "const isPadded = faults === 0\n  if (!isPadded) throw new Error('bad padding')",
      },
    ],
  },
  {
    name: 'strict base64',
    patches: [
      {
        file: USER_DATA,
        find: "return bytes.toString('base64') === text ? bytes : undefined",
        put: 'return bytes',
      },
    ],
  },
]

test.each(broken)('a build without $name is found', async ({ name, patches }) => {
  const { decryptUserData: decrypt } = await loadPatched<{ decryptUserData: Decrypt }>(
    [USER_DATA],
    patches,
  )
  const { wrongVectors, forged, learnt } = attack(decrypt, 2000)
  const caught = wrongVectors.length + forged + learnt > 0
  await reportBrokenVariant({ drill: 'S', variant: name, caught })
  expect(caught).toBe(true)
})

test.each<BrokenBuild>([
  {
    name: 'a limit of failed attempts',
    patches: [
      {
        file: 'functions/login/decryption.ts',
        find: 'DECRYPT_FAILURES_MAX = 5',
        put: 'DECRYPT_FAILURES_MAX = 5e9',
      },
    ],
  },
  {
    name: 'one refusal for every cause',
    patches: [
      {
        file: 'functions/login/decryption.ts',
        find: "if (!userData) throw new Problem('session-key-stale')",
        put: "if (!userData) throw new Problem(data.encryptedData.length > 100 ? 'session-key-stale' : 'invalid-field')",
      },
    ],
  },
])('a server without $name is found', async ({ name, patches }) => {
  const { refusals, untilLocked } = await askTheOracle(patches, 40)
  const caught = refusals !== 1 || untilLocked !== 5
  await reportBrokenVariant({ drill: 'S', variant: name, caught })
  expect(caught).toBe(true)
})
