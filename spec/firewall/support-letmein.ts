/** What specs of letmein's lane share: its datagrams, and what of them the kernel copies up. */
import { fileURLToPath } from 'node:url'
import type { Child } from '../support/child.js'
import { type Lab, openLab } from '../support/lab.js'
import { poll } from '../support/poll.js'
import { type Choices, serverConfig, USER } from './support-config.js'
import { type ManagerHost, managerIn } from './support-manager.js'

const FLOOD = fileURLToPath(new URL('../../scripts/figures/flood.pl', import.meta.url))
const TAG = Buffer.from('0011223344556677', 'hex')
/** Longer than anything else here, and with a tag: SPA's own lane, which tells that all before it is through. */
const MARK_BYTES = 222
const LETMEIN_BYTES = 56

export const OPERATION = { KNOCK: 0, CHALLENGE: 1, RESPONSE: 2, COMEIN: 3, GOAWAY: 4, REVOKE: 5 } as const

/** The first 12 bytes: magic, operation, user. */
export function head(user = USER, operation: number = OPERATION.KNOCK, magic = 0x3b1bb719): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(magic)
  bytes.writeUInt32BE(operation, 4)
  bytes.writeUInt32BE(user, 8)
  return bytes
}

export function message(start = head(), length = 56): Buffer {
  return Buffer.concat([start, Buffer.alloc(Math.max(0, length - start.length), 0xee)]).subarray(0, length)
}

export class LetmeinLab {
  readonly lab: Lab
  readonly host: ManagerHost
  readonly #heard: Child

  private constructor(lab: Lab, host: ManagerHost, heard: Child) {
    this.lab = lab
    this.host = host
    this.#heard = heard
  }

  /** The stranger may send from all of 198.18.64.0/18 and fd18:64::/32. */
  static async open(): Promise<LetmeinLab> {
    const lab = await openLab()
    const { server, stranger } = lab
    await server.must(['ip', 'route', 'add', '198.18.64.0/18', 'via', stranger.v4, 'dev', 'to-stranger'])
    await server.must(['ip', 'route', 'add', 'fd18:64::/32', 'via', stranger.v6, 'dev', 'to-stranger'])
    await stranger.must(['ip', 'route', 'add', 'local', '198.18.64.0/18', 'dev', 'lo'])
    await stranger.must(['ip', 'route', 'add', 'local', 'fd18:64::/32', 'dev', 'lo'])
    await stranger.sysctl({ 'net.ipv6.ip_nonlocal_bind': 1 })
    const host = await managerIn(lab)
    const heard = server.spawn(['tcpdump', '-ln', '-B', '16384', '--immediate-mode', '-i', 'nflog:5800'])
    await heard.waitLine(/listening on nflog/)
    return new LetmeinLab(lab, host, heard)
  }

  async start(choices: Partial<Choices> = {}, keep = false): Promise<void> {
    await this.host.make(lettingIn(choices))
    await this.host.manager.start({ keep })
  }

  /** How many datagrams of so many bytes came up of those that `act` sends, from a source that begins with `from`. */
  async copiesOf(act: () => Promise<unknown>, from = '', bytes = LETMEIN_BYTES): Promise<number> {
    const since = this.#heard.lines.length
    await act()
    await this.drained()
    const copies = this.#heard.lines.slice(since).filter((line) => line.endsWith(`length ${bytes}`))
    return copies.filter((line) => line.includes(` ${from}`)).length
  }

  /** How many copies came up so far, of whatever. */
  get copies(): number {
    return this.#heard.lines.length
  }

  /** Waits until all that was sent before is through: a knock of SPA's, by the client, comes up behind it. */
  async drained(): Promise<void> {
    const marks = () => this.#heard.lines.filter((line) => line.endsWith(`length ${MARK_BYTES}`)).length
    const before = marks()
    await this.host.manager.removeTags([TAG])
    await this.host.manager.installTags([{ key: TAG, timeoutMs: 60_000 }])
    await this.lab.client.send(this.lab.server.v4, 5800, [Buffer.concat([TAG, Buffer.alloc(MARK_BYTES - 8)])])
    await poll('the mark', () => marks() > before)
  }

  /** Sends messages of random bytes behind `start` from the stranger's addresses in turn, `count` at most. */
  async flood(
    sources: readonly string[],
    { count, perSecond = 1_000_000, seconds = 3, start = head(), bytes = `${LETMEIN_BYTES}`, port = 5800 }: Burst,
    to: string = this.lab.server.v4,
  ): Promise<number> {
    const most = count === undefined ? seconds : count / perSecond
    const words = [to, port, perSecond, most, bytes, start.toString('hex'), ...sources]
    const said = await this.lab.stranger.must(['perl', FLOOD, ...words.map(String)])
    return (JSON.parse(said) as { sent: number }).sent
  }

  nft(...args: string[]): Promise<string> {
    return this.lab.server.must(['nft', ...args])
  }
}

export interface Burst {
  readonly count?: number
  readonly perSecond?: number
  readonly seconds?: number
  readonly start?: Buffer
  /** As scripts/figures/flood.pl takes it. */
  readonly bytes?: string
  readonly port?: number
}

export function lettingIn({ letmein, ...choices }: Partial<Choices>) {
  return serverConfig({ resources: [{ id: 0x16 }], ...choices, letmein: { enabled: true, ...letmein } })
}

/** 198.18.64.1 and so on: addresses of the stranger's. */
export function sources4(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `198.18.${64 + (i >> 8)}.${i & 255}`)
}
