/** Makes the values of a stage. Run with --help. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { ConfigurationError, readVariables } from '../shared/wiring/configuration.ts'
import { projectFolder } from './build/bundle.ts'
import { runCommand } from './cli/command.ts'
import { CommandProblem } from './cli/problem.ts'
import { LOCAL } from './cli/stage.ts'
import { newKey, newNamedKey } from './stage-values/key-ring.ts'
import { ask } from './stage-values/questions.ts'
import { withValueOf, writeStageFile } from './stage-values/stage-file.ts'

const usage = `Usage: npm run init -- --stage NAME [options]

Begins a deployment: asks for the mini program's AppID, its AppSecret and the address of the database, makes all keys, writes
.env.NAME (which only you can read), and lets the doctor look at it. An existing file is left as it is.

  --stage NAME      such as prod
  --appid ID        in place of asking; or WECHAT_APPID in the environment
  --database URL    in place of asking; or DATABASE_URL in the environment
                    The AppSecret is only taken from the terminal, or from WECHAT_SECRET in the environment.
  --offline         the doctor does not ask WeChat and the database
  --help            this text`

const questions = [
  {
    name: 'WECHAT_APPID',
    question: 'AppID (mp.weixin.qq.com, 开发管理 → 开发设置):',
    isSecret: false,
  },
  { name: 'WECHAT_SECRET', question: 'AppSecret (shown nowhere):', isSecret: true },
  {
    name: 'DATABASE_URL',
    question:
      'Database, https://user:password@host or mysql://user:password@host:3306/name (shown nowhere):',
    isSecret: true,
  },
] as const

type Asked = (typeof questions)[number]['name']

function complaintOf(name: Asked, answer: string): string | undefined {
  const { faults } = readVariables([name], { [name]: answer })
  return faults.length === 0 ? undefined : `${new ConfigurationError(faults).variables[0]}.`
}

async function answersFor(
  given: Record<Asked, string | undefined>,
): Promise<Record<Asked, string>> {
  const answers: Partial<Record<Asked, string>> = {}
  const missing: string[] = []
  for (const { name, question, isSecret } of questions) {
    const value = given[name]
    if (value !== undefined) {
      const wrong = complaintOf(name, value)
      if (wrong) throw new CommandProblem(wrong)
      answers[name] = value
    } else if (process.stdin.isTTY) {
      const complaint = (answer: string): string | undefined => complaintOf(name, answer)
      answers[name] = await ask(question, { isSecret, complaint })
    } else missing.push(name)
  }
  if (missing.length > 0) {
    throw new CommandProblem(
      `${missing.join(', ')}: set in the environment, or run this on a terminal, which is asked.`,
    )
  }
  return answers as Record<Asked, string>
}

await runCommand({
  usage,
  options: {
    stage: { type: 'string' },
    appid: { type: 'string' },
    database: { type: 'string' },
    offline: { type: 'boolean' },
  },
  async run({ stage, appid, database, offline }) {
    if (
      stage === undefined ||
      !/^[A-Za-z0-9-]+$/.test(stage) ||
      ['example', LOCAL].includes(stage)
    ) {
      throw new CommandProblem('--stage NAME: how the deployment is called, such as prod.')
    }
    const file = path.join(projectFolder, `.env.${stage}`)
    if (existsSync(file)) {
      throw new CommandProblem(
        `.env.${stage} is there already: npm run doctor -- --stage ${stage} looks at it.`,
      )
    }
    const { env } = process
    const answers = await answersFor({
      WECHAT_APPID: appid ?? env.WECHAT_APPID,
      WECHAT_SECRET: env.WECHAT_SECRET,
      DATABASE_URL: database ?? env.DATABASE_URL,
    })
    const made = {
      TOKEN_KEYS: newNamedKey(Date.now()),
      SEALING_KEYS: newNamedKey(Date.now()),
      LOOKUP_KEY: newKey(),
    }
    let text = await readFile(path.join(projectFolder, '.env.example'), 'utf8')
    for (const [name, value] of Object.entries({ ...answers, ...made }))
      text = withValueOf(text, name, value)
    await writeStageFile(file, text)
    console.log(
      `.env.${stage} is made, with keys of its own: keep a copy of LOOKUP_KEY and SEALING_KEYS where secrets are kept.`,
    )
    const args = ['scripts/doctor.ts', '--stage', stage, ...(offline ? ['--offline'] : [])]
    const doctor = spawn(process.execPath, ['--import', 'tsx', ...args], {
      cwd: projectFolder,
      stdio: 'inherit',
    })
    const [code] = (await once(doctor, 'exit')) as [number | null]
    process.exitCode = code ?? 1
  },
})
