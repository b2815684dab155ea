/** The project's pages as a reader sees them: headings, links, blocks of code, tables. */

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { projectFolder } from '../../scripts/build/bundle.ts'

export interface CodeBlock {
  language: string
  code: string
}

export interface Page {
  /** From the project's folder, `functions/README.md`. */
  file: string
  text: string
}

export interface Heading {
  level: number
  title: string
}

/** One page. */
export function readPage(file: string): Page {
  return { file, text: readFileSync(path.join(projectFolder, file), 'utf8') }
}

/** Every page of the project. */
export function readPages(): Page[] {
  const files = ['.github', 'functions', 'scripts', 'shared', 'test'].flatMap((folder) =>
    readdirSync(path.join(projectFolder, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .map((file) => path.join(folder, file)),
  )
  return ['README.md', 'README.zh-CN.md', ...files.sort()].map(readPage)
}

const FENCED = /^```(\w*)\n([\s\S]*?)^```$/gm

/** Blocks between fences, in order. */
export function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(FENCED)].map(([, language = '', code = '']) => ({ language, code }))
}

/** Headings outside of code. */
export function headings(text: string): Heading[] {
  return [...text.replace(FENCED, '').matchAll(/^(#+) (.+)$/gm)].map(
    ([, marks = '', title = '']) => ({ level: marks.length, title }),
  )
}

/** The part of a page below one heading, up to the next of the same level. */
export function section(text: string, title: string): string {
  const from = text.indexOf(`\n## ${title}\n`)
  if (from < 0) throw new Error(`There is no section "${title}".`)
  const to = text.indexOf('\n## ', from + 1)
  return text.slice(from, to < 0 ? undefined : to)
}

/** The cells of a section's only table, without its head. */
export function tableRows(text: string): string[][] {
  return [...text.matchAll(/^\| ?(.*?) ?\|$/gm)]
    .slice(2)
    .map(([, row = '']) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()))
}

/** Links of a page that lead nowhere, as `link: what is missing`; addresses on the web are not looked at. */
export function brokenLinks({ file, text }: Page): string[] {
  const prose = text.replace(FENCED, '').replaceAll(/`[^`\n]*`/g, '')
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links
    .filter((link) => !/^https?:/.test(link))
    .flatMap((link) => {
      const [target = '', anchor] = link.split('#')
      const full = path.join(path.dirname(file), target)
      let found = text
      try {
        if (target !== '') found = readPage(full).text
      } catch {
        return [`${link}: there is no ${full}`]
      }
      if (anchor === undefined) return []
      const anchors = headings(found).map(({ title }) => anchorOf(title))
      return anchors.includes(anchor) ? [] : [`${link}: there is no such heading`]
    })
}

/** As GitHub makes them: lower case, no punctuation, a hyphen for each space. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')
}

/** Lines of a shell block with a comment: an interactive zsh takes `#` for a command. */
export function commentsIn(code: string): string[] {
  return code.split('\n').filter((line) => /(^|\s)#/.test(line.replaceAll(/'[^']*'|"[^"]*"/g, '')))
}
