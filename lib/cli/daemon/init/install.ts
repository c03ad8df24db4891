/** Puts the systemd units and the users' definition where systemd finds them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeFileOnce } from '../../../config/write-file.js'

/** Of a program that a unit names without a path (systemd.service(5)). */
const SEARCHED = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const FILES = [
  {
    from: 'systemd/postern-gate.service',
    to: 'etc/systemd/system/postern-gate.service',
    packaged: 'usr/lib/systemd/system',
  },
  { from: 'systemd/postern.service', to: 'etc/systemd/system/postern.service', packaged: 'usr/lib/systemd/system' },
  { from: 'sysusers.d/postern.conf', to: 'etc/sysusers.d/postern.conf', packaged: 'usr/lib/sysusers.d' },
] as const

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

/** Has systemd see them, and make the users. What it says where it does not. */
export function tellSystemd(): string | undefined {
  try {
    execFileSync('systemd-sysusers', [], { stdio: 'ignore' })
    if (existsSync('/run/systemd/system')) execFileSync('systemctl', ['daemon-reload'], { stdio: 'ignore' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Where systemd would not find our programs by name, they are named by path. */
function withPaths(unit: string): string {
  const conf = confFolder()
  const isFound = (program: string) => SEARCHED.some((folder) => existsSync(join(folder, program)))
  const own = conf === undefined ? '/usr/sbin/posternd' : join(conf, '..', 'bin', 'posternd')
  const named = isFound('posternd') ? unit : unit.replace(/^ExecStart=posternd /m, `ExecStart=${own} `)
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
