/** `serverless package`: bundles and zips, and shows how large each is. */
import { mkdir } from 'node:fs/promises'
import { readDeclarations } from '../../build/declarations.ts'
import { type Package, packageFunction } from '../package-functions.ts'
import { type Command, type CommandContext, loaded } from './context.ts'

/** Packages the functions the command is about and prints one line for each. */
export async function packageChosen(context: CommandContext): Promise<Package[]> {
  const folder = context.packageFolder
  await mkdir(folder, { recursive: true })
  const chosen = context.chosen()
  const declarations = await loaded(() => readDeclarations(chosen.map(({ key }) => key)))
  const packages = await Promise.all(
    chosen.map((wanted) => packageFunction(wanted, { folder, declarations })),
  )
  for (const { key, file, zip, sha256 } of packages) {
    context.markPackaged(key, file)
    const kib = (zip.length / 1024).toFixed(1)
    context.tell(`${key}: ${key}.zip, ${kib} KiB, sha256 ${sha256.slice(0, 16)}…`)
  }
  return packages
}

export const packageCommand: Command = {
  hooks: {
    // Before the framework's own packing, which then finds nothing left to do.
    'before:package:createDeploymentArtifacts': async (context) => {
      await packageChosen(context)
    },
  },
}
