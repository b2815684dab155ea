/** A walk of the documentation, pasted into a shell as a reader does it. */

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { codeBlocks } from './documentation.ts'

/** One block to paste, and what the page says comes back; nothing, when it says nothing. */
export interface Step {
  code: string
  answer: string
}

export type Shell = 'bash' | 'zsh'

/** As a terminal has them: zsh without its comments, neither with anybody's settings. */
const shells: Record<Shell, string[]> = {
  bash: ['--norc', '--noprofile', '-s'],
  zsh: ['-f', '-i', '-o', 'no_prompt_sp', '-o', 'no_prompt_cr'],
}

const MARK = '--- the next block ---'

/** The steps of a piece of documentation: each `sh` block with the `json` block after it. Starting the server is none. */
export function readWalk(text: string): Step[] {
  const blocks = codeBlocks(text)
  return blocks.flatMap(({ language, code }, index) => {
    if (language !== 'sh' || code.startsWith('npm ')) return []
    const next = blocks[index + 1]
    return [{ code, answer: next?.language === 'json' ? next.code : '' }]
  })
}

/** Runs the steps one after the other and resolves to what went otherwise than the page says. */
export async function pasteWalk(
  shell: Shell,
  steps: readonly Step[],
  addresses: { gateway: string; wechat: string },
): Promise<string[]> {
  const script = steps
    .map(({ code }) => `${code}\nprintf '\\n%s\\n' '${MARK}'\n`)
    .join('')
    .replaceAll('localhost:3000', new URL(addresses.gateway).host)
    .replaceAll('localhost:3001', new URL(addresses.wechat).host)
  const { output, complaints } = await paste(shell, script)
  const answers = output.split(`\n${MARK}\n`)
  const faults = steps.flatMap(({ code, answer }, index) => {
    const seen = answers[index] ?? 'nothing'
    return isAnswered(answer, seen) ? [] : [`${code}answered ${seen}`]
  })
  return complaints === '' ? faults : [...faults, complaints]
}

async function paste(
  shell: Shell,
  script: string,
): Promise<{ output: string; complaints: string }> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'miniscore-walk-'))
  // On a terminal curl shows no progress either.
  await writeFile(path.join(home, '.curlrc'), 'silent\nshow-error\n')
  const child = spawn(shell, shells[shell], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, CURL_HOME: home, LANG: 'C.UTF-8', PS1: '', PS2: '' },
    // An interactive shell must not reach for the terminal that the tests run in.
    detached: true,
  })
  const seen = { output: '', complaints: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen.output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    seen.complaints += text
  })
  child.stdin.end(script)
  try {
    await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject))
    return seen
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

function isAnswered(expected: string, seen: string): boolean {
  if (expected === '') return seen === ''
  try {
    const wanted: unknown = JSON.parse(expected)
    return isDeepStrictEqual(wanted, likeWanted(wanted, JSON.parse(seen)))
  } catch {
    return false
  }
}

/** `seen`, with every text for which `wanted` has `…` replaced by that. */
function likeWanted(wanted: unknown, seen: unknown): unknown {
  if (wanted === '…') return typeof seen === 'string' && seen !== '' ? wanted : seen
  if (typeof wanted !== 'object' || typeof seen !== 'object' || !wanted || !seen) return seen
  const inside = wanted as Record<string, unknown>
  if (Array.isArray(seen)) return seen.map((each, index) => likeWanted(inside[index], each))
  return Object.fromEntries(
    Object.entries(seen).map(([key, each]) => [key, likeWanted(inside[key], each)]),
  )
}
