/** The real postern program, bundled anew, and a home for it with a configuration. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { ALONE, clientOf } from '../support/client.js'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { PATH } = process.env
export const KEY = 'B999CC85F190AC46C8BCDF728E70FE6CCE861E33E6B0EA5F5D98C9875E41D96F'

/** A client's file with resources of each kind. */
export const CONFIG = `[GENERAL]
port = 5800/udp
[CLIENT]
default-user = 1
[SPA]
realm = gate
[KEYS]
00000001 = ${KEY}
[RESOURCES]
00000022 = port: 22
00000080 = port: 8000-8010 / instant: yes
00000053 = port: 53 / udp
00000054 = port: 54 / users: 00000002
00000055 = port: 55 / connections: 1
`

/** Makes the bundles that bin/postern loads out of the sources as they are now. */
export function bundle(): void {
  if (ALONE === undefined) make('postern', 'postern-words', 'postern-keepalive')
}

/** The same for bin/posternd and what administers. */
export function bundlePosternd(): void {
  make('posternd')
}

/** Not under scripts/test, which has made them all: another run beside this one may be reading them. */
function make(...programs: readonly string[]): void {
  if (process.env['POSTERN_BUILT'] === 'yes') return
  execFileSync(process.execPath, [join(ROOT, 'scripts/bundle.js'), ...programs])
}

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A folder that is the program's home, with ~/.config/postern/postern.conf in it. */
export class Home {
  readonly folder = mkdtempSync(join(tmpdir(), 'postern-cli-'))
  readonly config = join(this.folder, '.config/postern/postern.conf')

  constructor(config?: string) {
    mkdirSync(join(this.folder, '.config/postern'), { recursive: true })
    if (config !== undefined) this.write('.config/postern/postern.conf', config)
  }

  write(name: string, content: string, mode = 0o600): string {
    const path = join(this.folder, name)
    writeFileSync(path, content, { mode })
    return path
  }

  /** A copy of the programs in this folder, and the file in it where V8's compiled code lies. */
  copyOfPrograms(): { root: string; cache: string } {
    const root = join(this.folder, 'programs')
    for (const part of ['bin', 'dist/programs']) cpSync(join(ROOT, part), join(root, part), { recursive: true })
    const folder = join(root, 'dist/programs')
    const cache = readdirSync(folder).find((name) => name.endsWith(`-${process.version}-${process.arch}`))
    return { root, cache: join(folder, cache!) }
  }

  /** Runs `postern` with these words, this home and no other environment than `env`; `root`: of another copy. */
  async postern(words: readonly string[], env: Record<string, string> = {}, root?: string): Promise<Ran> {
    const program = root === undefined ? clientOf(ROOT) : join(root, 'bin/postern')
    const child = spawn(program, words, {
      cwd: this.folder,
      env: { PATH, HOME: this.folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { code, out, err }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true })
  }
}
