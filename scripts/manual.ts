/**
 * Makes the manual pages and the completion scripts out of the commands' own descriptions, docs/CONFIGURATION.md and the
 * samples of conf, into dist/man and dist/completions. Run by `npm run build`.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { completionScript, SHELLS } from '../lib/cli/completion/command.js'
import { posternd } from '../lib/cli/posternd-words.js'
import { allCommands } from '../lib/cli/program.js'
import { postern } from '../lib/cli/words.js'
import { filePage } from './manual/file-page.js'
import { programPage } from './manual/program-page.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const configuration = read('docs/CONFIGURATION.md')
const { version } = JSON.parse(read('package.json'))
const PAGES = ['postern(1)', 'posternd(8)', 'postern.conf(5)', 'posternd.conf(5)']
const seeAlso = (own: string) => [...PAGES.filter((page) => page !== own), 'nft(8)', 'ssh_config(5)']

const pages = {
  'postern.1': programPage(postern, {
    version,
    section: 1,
    configuration,
    side: 'client',
    seeAlso: seeAlso('postern(1)'),
    about: [
      'A port such as ssh stays shut to the whole internet until its owner sends one authenticated UDP datagram. **postern** sends it. The port then opens for one address, for a short time. Nobody answers: with `--wait` postern itself looks whether the port is open.',
    ],
  }),
  'posternd.8': programPage(posternd, {
    version,
    section: 8,
    configuration,
    side: 'server',
    seeAlso: seeAlso('posternd(8)'),
    about: [
      '**posternd** shuts the ports that its configuration names, and opens one of them for the address of whoever sends an authentic knock, for a short time. It answers nobody whom it does not know: the knock port is not bound. Leases are elements with a timeout of nftables sets, so a daemon that has died means shut ports.',
      'Before you guard the port by which you came in: guard mode shuts it for connections that exist already, too.',
    ],
  }),
  'postern.conf.5': filePage({
    name: 'postern.conf',
    describe: 'what the client of postern knocks with',
    version,
    side: 'client',
    configuration,
    sample: read('conf/postern.conf'),
    seeAlso: seeAlso('postern.conf(5)'),
  }),
  'posternd.conf.5': filePage({
    name: 'posternd.conf',
    describe: 'what posternd guards, and for whom it opens',
    version,
    side: 'server',
    configuration,
    sample: read('conf/posternd.conf'),
    seeAlso: seeAlso('posternd.conf(5)'),
  }),
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  rmSync(join(root, folder), { recursive: true, force: true })
  mkdirSync(join(root, folder), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, folder, name), text)
}

const completions = [postern, posternd].flatMap((program) =>
  SHELLS.map((shell) => [`${program.name}.${shell}`, completionScript(shell, program.name, allCommands(program))]),
)
write('dist/man', pages)
write('dist/completions', Object.fromEntries(completions))
