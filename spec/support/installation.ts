/**
 * postern installed in a laboratory: programs where every uid can read them, two configuration files, and the commands as an
 * administrator and a user would give them. For specs, demo and benchmarks.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addAccounts, HAS_ACCOUNTS, MONITOR_ID } from './accounts.js'
import type { Child } from './child.js'
import { clientOf } from './client.js'
import type { Lab } from './lab.js'
import type { Namespace, Outcome } from './namespace.js'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
/** What `npm pack` would ship and the daemon needs. */
const PROGRAMS = [
  'package.json',
  'bin',
  'dist/programs',
  'lib/daemon/starter.pl',
  'lib/daemon/opener.pl',
  'lib/daemon/overhear.pl',
  'nftables',
  'conf',
]

export const USER = '0000000A'
export const KEY = 'C3'.repeat(32)
export const REALM = 'lab.example'
/** posternd's own choice, which scripts/apart makes an empty place. */
export const DEFAULT_RUN_FOLDER = '/run/postern'
/** The control port of `serverFile` and `clientFile`. */
export const KNOCK_PORT = 5800

/** A server's configuration; `more` goes at its end. `resources` are lines of [RESOURCES]. */
export function serverFile(resources: readonly string[], { port = `${KNOCK_PORT} / udp`, more = '' } = {}): string {
  return `[GENERAL]
port = ${port}
[SPA]
realm = ${REALM}
[KEYS]
${USER} = ${KEY}
[RESOURCES]
${resources.join('\n')}
${more}`
}

/** The client's file that fits it. */
export function clientFile(resources: readonly string[]): string {
  return `[GENERAL]
port = ${KNOCK_PORT} / udp
[CLIENT]
default-user = ${USER}
[SPA]
realm = ${REALM}
[KEYS]
${USER} = ${KEY}
[RESOURCES]
${resources.join('\n')}
`
}

/** What specs read of it. */
export interface Status {
  readonly running: boolean
  readonly leases: readonly { resource: string; address: string; user?: string; remainingMs: number }[]
  readonly counters: Readonly<Record<string, number>>
}

export class Installation {
  readonly lab: Lab
  readonly serverConfig: string
  readonly clientConfig: string
  readonly folder: string

  readonly #runFolder: string

  /** `runFolder`: where the daemon keeps what one boot needs. */
  constructor(lab: Lab, { runFolder = join(lab.folder, 'run') } = {}) {
    this.lab = lab
    this.#runFolder = runFolder
    this.folder = join(lab.folder, 'postern')
    this.serverConfig = join(lab.folder, 'posternd.conf')
    this.clientConfig = join(lab.folder, 'postern.conf')
    chmodSync(lab.folder, 0o755)
    for (const path of PROGRAMS) cpSync(join(CHECKOUT, path), join(this.folder, path), { recursive: true })
    execFileSync('chmod', ['-R', 'a+rX', this.folder])
    placeNode()
    addAccounts()
  }

  /** Writes the server's file, readable by root and the monitor alone. */
  configure(text: string): void {
    write(this.serverConfig, text)
    if (!HAS_ACCOUNTS) return
    chownSync(this.serverConfig, 0, MONITOR_ID)
    chmodSync(this.serverConfig, 0o640)
  }

  configureClient(text: string): void {
    write(this.clientConfig, text)
  }

  /** The words of `posternd run` that are for a laboratory. */
  get runArguments(): readonly string[] {
    return [...this.at, '--state-dir', this.#stateFolder]
  }

  /** Where the daemon is, for the other commands of posternd. */
  get at(): readonly string[] {
    const runFolder = this.#runFolder === DEFAULT_RUN_FOLDER ? [] : ['--run-dir', this.#runFolder]
    return ['--config', this.serverConfig, ...runFolder]
  }

  get #stateFolder(): string {
    return join(this.lab.folder, 'state')
  }

  /** What a first start needs: an operator's word that the clock is right (else knocks are refused for a minute). */
  async trustClock(): Promise<void> {
    const where = ['--run-dir', this.#runFolder, '--state-dir', this.#stateFolder]
    const { status, stderr } = await this.posternd('trust-clock', ...where)
    if (status !== 0) throw new Error(`posternd trust-clock: exit ${status}: ${stderr}`)
  }

  /** Waits until it says that it is ready, in a line from number `since` on. Throws with what it said where it ends. */
  async hears(daemon: Child, since = 0): Promise<void> {
    await daemon.waitLine(/ ready: /, undefined, since)
  }

  /** Starts the daemon; it hears when this returns. Throws with what it said where it does not start. */
  async start(more: readonly string[] = []): Promise<Child> {
    const daemon = this.spawn(more)
    await this.hears(daemon)
    return daemon
  }

  /** Starts the daemon and does not wait. */
  spawn(more: readonly string[] = []): Child {
    const argv = [join(this.folder, 'bin/posternd'), 'run', ...withoutOptions(this.runArguments, more), ...more]
    return this.lab.server.spawn(argv, { POSTERN_NODE: NODE })
  }

  /** `posternd status --json`. */
  async status(): Promise<Status> {
    const { status, stdout, stderr } = await this.posternd('status', '--json', ...this.at)
    if (status !== 0) throw new Error(`posternd status: exit ${status}: ${stderr}`)
    return JSON.parse(stdout) as Status
  }

  posternd(...argv: readonly string[]): Promise<Outcome> {
    return this.lab.server.run([join(this.folder, 'bin/posternd'), ...argv], { env: { POSTERN_NODE: NODE } })
  }

  /** The client's program, at some host of the laboratory. */
  postern(at: Namespace, ...argv: readonly string[]): Promise<Outcome> {
    const [command, ...rest] = argv
    return at.run([clientOf(this.folder), command!, '--config', this.clientConfig, ...rest])
  }

  /** Knocks and insists that it went out. */
  async knock(at: Namespace, ...argv: readonly string[]): Promise<void> {
    const { status, stderr } = await this.postern(at, 'knock', ...argv)
    if (status !== 0) throw new Error(`postern knock ${argv.join(' ')}: exit ${status}: ${stderr}`)
  }
}

/** Where the daemon's users can reach Node, which may lie in a home that is shut to them. */
const NODE = '/run/node'

function placeNode(): void {
  if (existsSync(NODE)) return
  writeFileSync(NODE, '')
  execFileSync('mount', ['--bind', process.execPath, NODE])
}

function write(path: string, text: string): void {
  writeFileSync(path, text)
  chmodSync(path, 0o600)
}

/** Options with their values, but those that are said anew: no option may be there twice. */
function withoutOptions(words: readonly string[], anew: readonly string[]): string[] {
  return words.filter((word, i) => !anew.includes(i % 2 === 0 ? word : words[i - 1]!))
}
