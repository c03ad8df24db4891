/** Where the files of nftables/ are: beside lib in a checkout, above dist in the package. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FirewallError } from './types.js'

const NAMES = ['base', 'letmein', 'fwknop', 'closed', 'resource', 'guard', 'chain', 'control'] as const
export type Templates = Readonly<Record<(typeof NAMES)[number], string>>

/** The ruleset files. Throws FirewallError('missing') where they are not there. */
export function readTemplates(folder: string = templateFolder()): Templates {
  const read = (name: string) => {
    const file = join(folder, `${name}.nft`)
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      throw new FirewallError('missing', `${file}: expected postern's ruleset there: install the package again`, {
        cause: error,
      })
    }
  }
  return Object.fromEntries(NAMES.map((name) => [name, read(name)])) as Templates
}

function templateFolder(): string {
  const start = dirname(fileURLToPath(import.meta.url))
  for (let folder = start; ; folder = dirname(folder)) {
    const candidate = join(folder, 'nftables')
    if (existsSync(join(candidate, 'base.nft'))) return candidate
    if (dirname(folder) === folder)
      throw new FirewallError('missing', `nftables/base.nft: expected it above ${start}: install the package again`)
  }
}
