/** Run as a program: writes what each of the named commands prints for `--help`, as JSON. */

const printed: Record<string, string> = {}
const { log } = console
const [node = '', program = '', ...names] = process.argv
for (const name of names) {
  const lines: string[] = []
  console.log = (line: string) => lines.push(line)
  process.argv = [node, program, '--help']
  await import(`../../scripts/${name}.ts`)
  printed[name] = lines.join('\n')
}
console.log = log
console.log(JSON.stringify(printed))
