/**
 * The real fwknop: its server and client as Debian packages them, which scripts/peers sees to. fwknopd changes the host's
 * firewall with iptables (nf_tables), in a chain of its own.
 */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Child, Exit } from './child.js'
import type { Lab } from './lab.js'
import type { Namespace, Outcome } from './namespace.js'

/** Where fwknopd hears knocks unless it is told otherwise. */
export const FWKNOP_PORT = 62_201
export const KEYS = { rijndael: 'a key for the laboratory', hmac: 'an HMAC key for the laboratory' } as const

/** `udp`: it binds the port. `pcap`: it sniffs, and the port stays shut. */
export type FwknopMode = 'udp' | 'pcap'

/** What this system's fwknopd is built for: Debian 13's hears by UDP alone (fwknop's --enable-udp-server leaves libpcap out). */
export const FWKNOP_MODES: readonly FwknopMode[] = isLinkedWithPcap() ? ['udp', 'pcap'] : ['udp']

function isLinkedWithPcap(): boolean {
  const path = (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'fwknopd'))
  const program = path.find((file) => existsSync(file))
  return program !== undefined && readFileSync(program).includes('libpcap.so')
}

/** Only what was asked to be let in, over IPv4, which is all that fwknop knows. In `udp` mode the port itself has to be open. */
export async function dropByDefault(host: Namespace, mode: FwknopMode): Promise<void> {
  const rules = [
    ['-P', 'INPUT', 'DROP'],
    ['-A', 'INPUT', '-i', 'lo', '-j', 'ACCEPT'],
    ['-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'ESTABLISHED', '-j', 'ACCEPT'],
    ...(mode === 'udp' ? [['-A', 'INPUT', '-p', 'udp', '--dport', String(FWKNOP_PORT), '-j', 'ACCEPT']] : []),
  ]
  for (const rule of rules) await host.must(['iptables', ...rule])
}

/** A stanza of access.conf with the laboratory's keys; `more` are further lines. */
export function accessFile(ports: string, { timeoutSeconds = 30, more = [] as readonly string[] } = {}): string {
  const lines = [
    'SOURCE ANY',
    `KEY ${KEYS.rijndael}`,
    `HMAC_KEY ${KEYS.hmac}`,
    `OPEN_PORTS ${ports}`,
    `FW_ACCESS_TIMEOUT ${timeoutSeconds}`,
  ]
  return `${[...lines, ...more].join('\n')}\n`
}

export interface FwknopBeginning {
  readonly mode: FwknopMode
  /** An access.conf. */
  readonly access: string
  /** Further lines of fwknopd.conf, each with its semicolon. */
  readonly more?: readonly string[]
}

const READY = { udp: /Kicking off UDP server/, pcap: /Starting fwknopd main event loop/ } as const

export class FwknopServer {
  /** fwknopd, whose lines are its log. */
  readonly daemon: Child
  /** Its fwknopd.conf and access.conf. */
  readonly files: { readonly config: string; readonly access: string }
  readonly #host: Namespace

  private constructor(host: Namespace, daemon: Child, files: FwknopServer['files']) {
    this.#host = host
    this.daemon = daemon
    this.files = files
  }

  /** It hears at the laboratory's server, on the side of the client, when this returns. Throws with its log where it ends. */
  static async start({ server, folder }: Lab, { mode, access, more = [] }: FwknopBeginning): Promise<FwknopServer> {
    const own = mkdtempSync(join(folder, 'fwknopd-'))
    const capture = mode === 'udp' ? 'ENABLE_UDP_SERVER Y;' : 'PCAP_INTF to-client;'
    const config = write(own, 'fwknopd.conf', `${[capture, ...more].join('\n')}\n`)
    const files = { config, access: write(own, 'access.conf', access) }
    const words = ['-f', '-v', '-c', config, '-a', files.access, '-r', own]
    const daemon = server.spawn(['fwknopd', ...words], { HOME: own })
    await daemon.waitLine(READY[mode])
    return new FwknopServer(server, daemon, files)
  }

  /** Its chain, as `iptables -S` says it. Empty where it is not there. */
  async rules(): Promise<string[]> {
    const { stdout } = await this.#host.run(['iptables', '-S', 'FWKNOP_INPUT'])
    return stdout.split('\n').filter((line) => line.startsWith('-A '))
  }

  /** SIGTERM, and its exit. */
  stop(): Promise<Exit> {
    return this.daemon.stop()
  }
}

export interface FwknopAsk {
  /** `tcp/22`, or several behind commas. */
  readonly ports: string
  /** The address to open for; its sender's own where none is said; `source`: it names none (-s). */
  readonly allow?: string
  /** Where the packet goes to. */
  readonly server: string
  /** Further options; of two that say the same the last counts. */
  readonly more?: readonly string[]
  /** False: without the laboratory's HMAC key. */
  readonly hmac?: boolean
}

/**
 * `fwknop` with the laboratory's keys, at a host of the laboratory, for an address and ports such as `tcp/22`. It hears no
 * answer, so that exit 0 says no more than that the datagram left.
 */
export function fwknop(
  { folder }: Lab,
  at: Namespace,
  { ports, allow = at.v4, server, more = [], hmac = true }: FwknopAsk,
): Promise<Outcome> {
  const keys = ['--key-rijndael', KEYS.rijndael, ...(hmac ? ['--key-hmac', KEYS.hmac] : [])]
  const address = allow === 'source' ? ['-s'] : ['-a', allow]
  const words = ['--no-rc-file', '--no-save-args', '-A', ports, ...address, '-D', server, ...keys, ...more]
  return at.run(['fwknop', ...words], { env: { HOME: folder } })
}

function write(folder: string, name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

/** A section of ~/.fwknoprc with the laboratory's keys. Passphrases there end at the first blank, so they are written as base64. */
export function rcStanza(name: string, server: string, more: readonly string[] = []): string {
  const keys = [`KEY_BASE64 ${base64(KEYS.rijndael)}`, `HMAC_KEY_BASE64 ${base64(KEYS.hmac)}`]
  return `${[`[${name}]`, `SPA_SERVER ${server}`, 'ALLOW_IP source', ...keys, ...more].join('\n')}\n`
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
