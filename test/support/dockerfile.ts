/** Dockerfiles, as far as ours go: read into stages, and their steps done in folders in place of images. */

import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { inBareDebian } from './bare-debian.ts'

export interface Instruction {
  /** `FROM`, `COPY` … */
  name: string
  /** What stands behind it. */
  rest: string
}

export interface Stage {
  name: string
  /** An image, or a stage before. */
  from: string
  instructions: readonly Instruction[]
}

const KNOWN = /^(ARG|CMD|COPY|ENV|EXPOSE|HEALTHCHECK|RUN|USER|WORKDIR)$/

/** @throws {Error} for an instruction that these steps do not know */
export function readDockerfile(text: string): Stage[] {
  const stages: { name: string; from: string; instructions: Instruction[] }[] = []
  for (const line of text.split('\n').filter((each) => each.trim() && !each.startsWith('#'))) {
    const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []
    const [, from, stage] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? []
    if (from !== undefined && stage !== undefined)
      stages.push({ name: stage, from, instructions: [] })
    else if (KNOWN.test(name)) stages.at(-1)?.instructions.push({ name, rest })
    else throw new Error(`not known: ${line}`)
  }
  return stages
}

/** A stage that was done: its files, and what a container of it starts with. */
export interface Image {
  root: string
  workdir: string
  user: string
  environment: Record<string, string>
  command: readonly string[]
  healthcheck: readonly string[]
}

export interface BuildContext {
  /** What is sent to the builder. */
  folder: string
  ignored: (file: string) => boolean
  /** A folder with an image's files. */
  baseOf(image: string): string
  /** A new folder for a stage. */
  rootOf(stage: string): string
  /** Variables of this machine that a step cannot do without: a proxy's certificate. */
  environment: Record<string, string>
}

/** Does all steps of all stages. @throws {Error} with the output of the step that failed */
export async function buildImages(
  stages: readonly Stage[],
  context: BuildContext,
): Promise<Map<string, Image>> {
  const images = new Map<string, Image>()
  for (const stage of stages) {
    const before = images.get(stage.from)
    const image: Image = {
      ...(before ?? { workdir: '/', user: 'root', environment: {}, command: [], healthcheck: [] }),
      root: context.rootOf(stage.name),
    }
    await promisify(execFile)('cp', ['-a', before?.root ?? context.baseOf(stage.from), image.root])
    for (const instruction of stage.instructions)
      await step(instruction, image, { images, context })
    images.set(stage.name, image)
  }
  return images
}

async function step(
  { name, rest }: Instruction,
  image: Image,
  { images, context }: { images: ReadonlyMap<string, Image>; context: BuildContext },
): Promise<void> {
  const words = rest.split(/\s+/)
  if (name === 'WORKDIR') {
    image.workdir = rest
    await mkdir(path.join(image.root, rest), { recursive: true })
  } else if (name === 'ENV' || name === 'ARG') {
    const [variable = '', value = ''] = rest.split('=')
    image.environment = { ...image.environment, [variable]: value }
  } else if (name === 'USER') image.user = rest
  else if (name === 'CMD') image.command = JSON.parse(rest) as string[]
  else if (name === 'HEALTHCHECK') {
    image.healthcheck = JSON.parse(rest.replace(/^.*? CMD /, '')) as string[]
  } else if (name === 'COPY') await copy(words, image, { images, context })
  else if (name === 'RUN') {
    const env = { ...context.environment, ...image.environment }
    const { workdir, user } = image
    await inBareDebian(image.root, ['/bin/sh', '-c', rest], { env, workdir, user })
  }
}

async function copy(
  words: readonly string[],
  image: Image,
  { images, context }: { images: ReadonlyMap<string, Image>; context: BuildContext },
): Promise<void> {
  const [, stage] = /^--from=(.*)$/.exec(words[0] ?? '') ?? []
  const sources = words.slice(stage === undefined ? 0 : 1, -1)
  const to = path.join(image.root, image.workdir, words.at(-1) ?? '')
  for (const source of sources) {
    const root = stage === undefined ? context.folder : (images.get(stage)?.root ?? '')
    const from = path.join(root, source)
    const filter = (file: string): boolean =>
      stage !== undefined || !context.ignored(path.relative(context.folder, file))
    if (!filter(from)) throw new Error(`COPY ${source}: the .dockerignore leaves it out`)
    const isFolder = (await stat(from)).isDirectory()
    await cp(from, isFolder ? to : path.join(to, path.basename(source)), {
      recursive: true,
      filter,
    })
  }
}

/** What a .dockerignore leaves out. https://docs.docker.com/build/concepts/context/#syntax */
export function ignoredBy(text: string): (file: string) => boolean {
  const patterns = text
    .split('\n')
    .filter((line) => line.trim() && !line.startsWith('#'))
    .map((line) => {
      const escaped = line.replace(/[.+^${}()|[\]\\]/g, '\\$&')
      const pattern = escaped.replaceAll(/\*\*\/|\*/g, (stars) =>
        stars === '*' ? '[^/]*' : '(?:.*/)?',
      )
      return new RegExp(`^${pattern}(?:/|$)`)
    })
  return (file) => patterns.some((pattern) => pattern.test(file))
}

/** Every file below a folder, relative to it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
}
