/** Puts the systemd units and the users' definition where systemd finds them: for posternd init, and where an import writes. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeFileOnce } from '../../../config/write-file.js'
import { reasonOf } from '../../../replay/error.js'
import type { Printer } from '../../print.js'

/** Of a program that a unit names without a path (systemd.service(5)). */
const SEARCHED = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const FILES = [
  {
    from: 'systemd/postern-gate.service',
    to: 'etc/systemd/system/postern-gate.service',
    packaged: 'usr/lib/systemd/system',
  },
  {
    from: 'systemd/postern-sleep.service',
    to: 'etc/systemd/system/postern-sleep.service',
    packaged: 'usr/lib/systemd/system',
  },
  { from: 'systemd/postern.service', to: 'etc/systemd/system/postern.service', packaged: 'usr/lib/systemd/system' },
  { from: 'sysusers.d/postern.conf', to: 'etc/sysusers.d/postern.conf', packaged: 'usr/lib/sysusers.d' },
] as const
/** What lets the daemon answer letmein's clients; no part of what everybody gets. */
export const LETMEIN_DROP_IN = '/etc/systemd/system/postern.service.d/letmein.conf'
/** Where Debian's package has that one. */
const PACKAGED_CONF = '/usr/share/postern/conf'

export interface Installed {
  readonly path: string
  /** `kept`: a file of another content is there. */
  readonly kind: 'written' | 'replaced' | 'same' | 'kept'
}

/** What becomes of each file. Throws what fs throws. */
export function installUnits(root: string, { force, stamp }: { force: boolean; stamp: string }): Installed[] {
  const conf = confFolder()
  return FILES.flatMap(({ from, to, packaged }): Installed[] => {
    const path = join(root, to)
    // A package brings its own; a copy in /etc would hide what an upgrade changes.
    if (existsSync(join(root, packaged, basename(from)))) return []
    const text = readFileSync(conf === undefined ? join('/', packaged, basename(from)) : join(conf, from), 'utf8')
    const unit = root === '/' ? withPaths(text) : text
    if (existsSync(path) && readFileSync(path, 'utf8') === unit) return [{ path, kind: 'same' }]
    const done = writeFileOnce(path, unit, { mode: 0o644, folderMode: 0o755, replaces: force, stamp })
    if (done.kind === 'exists') return [{ path, kind: 'kept' }]
    return [{ path, kind: done.copy === undefined ? 'written' : 'replaced' }]
  })
}

/** The drop-in of postern.service for a host where letmein's clients are answered. Throws what fs throws. */
export function installLetmein(): Installed {
  const path = LETMEIN_DROP_IN
  const text = readFileSync(letmeinDropIn(), 'utf8')
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return { path, kind: 'same' }
  const { kind } = writeFileOnce(path, text, { mode: 0o644, folderMode: 0o755, replaces: false, stamp: '' })
  return { path, kind: kind === 'exists' ? 'kept' : 'written' }
}

/** Where the package has that drop-in. */
export function letmeinDropIn(): string {
  return join(confFolder() ?? PACKAGED_CONF, 'systemd/letmein.conf')
}

/** Says what became of each file. */
export function tellInstalled(installed: readonly Installed[], printer: Printer, keptFor = ''): void {
  const words = {
    written: 'Wrote',
    replaced: 'Wrote, with a copy of what was there,',
    same: 'Left as it is',
    kept: `NOT written, for another is there${keptFor}:`,
  }
  for (const { path, kind } of installed) printer.line(`${words[kind]} ${path}`)
}

/** Has systemd see them, and make the users. Warns of what it says where it does not. */
export function tellSystemd(printer: Printer): void {
  const trouble = troubleOfSystemd()
  if (trouble !== undefined) printer.error(`warning: ${trouble}: systemd-sysusers && systemctl daemon-reload`)
}

function troubleOfSystemd(): string | undefined {
  try {
    execFileSync('systemd-sysusers', [], { stdio: 'ignore' })
    if (existsSync('/run/systemd/system')) execFileSync('systemctl', ['daemon-reload'], { stdio: 'ignore' })
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

/** Where systemd would not find our programs by name, they are named by path. */
function withPaths(unit: string): string {
  const conf = confFolder()
  const isFound = (program: string) => SEARCHED.some((folder) => existsSync(join(folder, program)))
  const own = conf === undefined ? '/usr/sbin/posternd' : join(conf, '..', 'bin', 'posternd')
  const named = isFound('posternd') ? unit : unit.replace(/^(Exec\w+=-?)posternd /gm, `$1${own} `)
  if (isFound('node') || !named.includes('ExecStart=')) return named
  return named.replace(/^ExecStart=/m, `Environment=POSTERN_NODE=${process.execPath}\nExecStart=`)
}

/** conf/ is beside lib in a checkout, above dist in npm's package. Debian's has none: its files are where systemd reads them. */
function confFolder(): string | undefined {
  const start = dirname(fileURLToPath(import.meta.url))
  for (let folder = start; ; folder = dirname(folder)) {
    const candidate = join(folder, 'conf')
    if (existsSync(join(candidate, 'systemd/postern.service'))) return candidate
    if (dirname(folder) === folder) return undefined
  }
}
