/**
 * The real letmein: its server (letmeind and letmeinfwd) and its client, which scripts/peers puts on PATH. letmeinfwd runs in
 * its test mode, which leaves out the checks of users and owners: as root here, or as an ordinary user in his own namespace.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Child, Exit } from './child.js'
import { KEY, KNOCK_PORT, USER } from './installation.js'
import type { Lab } from './lab.js'
import type { Namespace, Outcome } from './namespace.js'
import { poll } from './poll.js'
import { despiteStandstill } from './standstill.js'

/** An error with a backtrace takes 70 ms and a screen. */
const ENVIRONMENT = { RUST_BACKTRACE: '0', RUST_LIB_BACKTRACE: '0' }

export const CHAIN = 'LETMEIN-INPUT'

/** An administrator's own: all is dropped but what his chain for letmein accepts. */
export const RULESET = `table inet filter {
  chain ${CHAIN} { }
  chain INPUT {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    jump ${CHAIN}
  }
}
`

export interface FileChoices {
  readonly port?: string
  /** control-error-policy; `basic-auth` where it is not said. */
  readonly policy?: 'always' | 'basic-auth' | 'full-auth'
  /** Further lines of [GENERAL]. */
  readonly general?: readonly string[]
  /** Further lines of [KEYS]. */
  readonly keys?: readonly string[]
  /** Further lines of [NFTABLES]. */
  readonly nftables?: readonly string[]
}

/** A letmeind.conf for RULESET, with the user and key of the laboratory's postern. `resources` are lines of [RESOURCES]. */
export function letmeindFile(resources: readonly string[], choices: FileChoices = {}): string {
  const nftables = ['family = inet', 'table = filter', `chain-input = ${CHAIN}`, ...(choices.nftables ?? [])]
  return `${general(choices)}[NFTABLES]\n${nftables.join('\n')}\n${keysAndResources(resources, choices)}`
}

/** The letmein.conf that fits it. */
export function letmeinFile(resources: readonly string[], choices: FileChoices = {}): string {
  return `${general(choices)}[CLIENT]\ndefault-user = ${USER}\n${keysAndResources(resources, choices)}`
}

function general({ port = `${KNOCK_PORT} / udp`, policy = 'basic-auth', general = [] }: FileChoices): string {
  return `[GENERAL]\n${[`port = ${port}`, `control-error-policy = ${policy}`, ...general].join('\n')}\n`
}

function keysAndResources(resources: readonly string[], { keys = [] }: FileChoices): string {
  return `[KEYS]\n${[`${USER} = ${KEY}`, ...keys].join('\n')}\n[RESOURCES]\n${resources.join('\n')}\n`
}

export interface LetmeinBeginning {
  /** A letmeind.conf. */
  readonly config: string
  /** Loaded before the start; none: it is there already. */
  readonly ruleset?: string
  /** The host that it runs on; the laboratory's server. */
  readonly at?: Namespace
}

export class LetmeinServer {
  /** letmeind, which hears knocks. */
  readonly daemon: Child
  /** letmeinfwd, which changes the firewall. */
  readonly firewall: Child
  /** The file that both were started with. */
  readonly configFile: string
  readonly #host: Namespace
  readonly #folder: string

  private constructor(host: Namespace, folder: string) {
    this.#host = host
    this.#folder = folder
    this.configFile = join(folder, 'letmeind.conf')
    const common = ['--no-systemd', '--rundir', folder, '--config', this.configFile]
    this.firewall = host.spawn(['letmeinfwd', '--test-mode', ...common], ENVIRONMENT)
    this.daemon = host.spawn(['letmeind', ...common], ENVIRONMENT)
  }

  /** It hears and its control port is open when this returns. Throws with what they said where one of them ends. */
  static async start(lab: Lab, { config, ruleset, at = lab.server }: LetmeinBeginning): Promise<LetmeinServer> {
    const folder = mkdtempSync(join(lab.folder, 'letmeind-'))
    writeFileSync(join(folder, 'letmeind.conf'), config, { mode: 0o640 })
    if (ruleset !== undefined) await at.must(['nft', '-f', '-'], { input: ruleset })
    const server = new LetmeinServer(at, folder)
    const both = [server.firewall, server.daemon]
    // Neither says anything when it is ready.
    await poll('letmein is ready', () => both.some(({ running }) => !running) || server.#isReady())
    for (const child of both.filter(({ running }) => !running)) {
      await Promise.all([child.closed, ...both.filter(({ running }) => running).map((other) => other.kill9())])
      throw new Error(`letmein ended: ${child.lines.join('\n')}`)
    }
    return server
  }

  /** Its rules in the whole ruleset, in their order, as nft prints them but without counters; that of the control port is the first. */
  async rules(): Promise<string[]> {
    const listing = await this.#host.must(['nft', 'list', 'ruleset'])
    const rules = listing.split('\n').filter((line) => line.endsWith('/LETMEIN"'))
    return rules.map((rule) => rule.trim().replace(/counter packets \d+ bytes \d+ /, ''))
  }

  /** SIGTERM to both; how letmeind and letmeinfwd ended. */
  async stop(): Promise<readonly [Exit, Exit]> {
    return [await this.daemon.stop(), await this.firewall.stop()]
  }

  async #isReady(): Promise<boolean> {
    if (readFileSync(join(this.#folder, 'letmeind/letmeind.pid'), 'utf8') === '') return false
    return (await this.rules()).some((rule) => rule.includes('"any/port/'))
  }
}

/** The client's program with a letmein.conf of its own, at any host of the laboratory. */
export class LetmeinClient {
  readonly configFile: string

  constructor(lab: Lab, config: string) {
    this.configFile = join(mkdtempSync(join(lab.folder, 'letmein-')), 'letmein.conf')
    writeFileSync(this.configFile, config, { mode: 0o600 })
  }

  /**
   * `letmein knock HOST PORT` and the like: exit 0 and nothing said where the server let it in. It sends nothing twice and gives
   * up after its control-timeout, so it is run again where the machine stood still for it.
   */
  run(at: Namespace, ...argv: readonly string[]): Promise<Outcome> {
    const run = () => at.run(['letmein', '--config', this.configFile, ...argv], { env: ENVIRONMENT })
    return despiteStandstill(run, ({ status }) => status === 0)
  }

  /** The same, and insists on success in silence. */
  async must(at: Namespace, ...argv: readonly string[]): Promise<void> {
    const { status, stdout, stderr } = await this.run(at, ...argv)
    if (status !== 0 || stdout + stderr !== '') throw new Error(`letmein ${argv.join(' ')}: exit ${status}: ${stderr}`)
  }
}
