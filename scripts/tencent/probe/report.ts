/** The probe's report in Markdown, without account, addresses or secrets. */
import { isIP } from 'node:net'
import { type Findings, type ReportLine, reportLines } from './lines.ts'

/** Texts that identify the account or its keys, and the word that stands for each. */
export type Hidden = ReadonlyMap<string, string>

const patterns: readonly [RegExp, string][] = [
  [/https?:\/\/[^\s"'`|)]+\.tencentscf\.com/g, '<function URL>'],
  [/\b\d+-\w+\.[a-z0-9-]+\.tencentscf\.com\b/g, '<function URL>'],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<id>'],
  [/\bAKID\w+/g, '<key>'],
  [/\b\d{10,12}\b/g, '<account>'],
  [/\b\d{1,3}(\.\d{1,3}){3}\b/g, '<address>'],
  [/\b(vpc|subnet|lam)-(?=[a-z]*\d)[0-9a-z]+\b/g, '<$1>'],
]

/** Takes everything out that names the account, its keys, or a machine. */
export function redacted(text: string, hidden: Hidden): string {
  let rest = text
  for (const [secret, word] of hidden) if (secret) rest = rest.replaceAll(secret, word)
  for (const [pattern, word] of patterns)
    rest = rest.replace(pattern, (found, ...groups: unknown[]) =>
      word === '<address>' && isIP(found) === 0 ? found : word.replace('$1', String(groups[0])),
    )
  return rest
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')
}

export interface ReportInput {
  region: string
  runtime: string
  at: Date
  findings: Findings
  hidden: Hidden
}

/** One row a line, those that this run did not settle included; then the shapes. */
export function reportText({ region, runtime, at, findings, hidden }: ReportInput): string {
  const names = Object.keys(reportLines) as ReportLine[]
  const rows = names.map((name) => {
    const { text, settled } = findings.get(name) ?? { text: 'the run ended before', settled: false }
    return `| ${name} | ${reportLines[name]} | ${settled ? '' : 'not settled: '}${cell(text)} |`
  })
  const shapes = names.flatMap((name) => {
    const shape = findings.get(name)?.shape
    return shape ? [`\n### ${name}\n\n\`\`\`json\n${JSON.stringify(shape, null, 2)}\n\`\`\``] : []
  })
  const whole = [
    `## Probe of ${region}, ${runtime}, ${at.toISOString().slice(0, 10)}\n`,
    '| Line | What it settles | Seen |',
    '|---|---|---|',
    ...rows,
    ...shapes,
    '',
  ].join('\n')
  return redacted(whole, hidden)
}
