/** What went through a namespace's interfaces, by tcpdump. */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { Packet } from './packet.js'
import { poll } from './poll.js'

const FILE_HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16

export class Capture {
  readonly #tcpdump: ChildProcess
  readonly #sentinel: (bytes: Buffer) => Promise<void>
  readonly #packets: Packet[] = []
  #pending = Buffer.alloc(0)
  #headerRead = false

  private constructor(tcpdump: ChildProcess, sentinel: (bytes: Buffer) => Promise<void>) {
    this.#tcpdump = tcpdump
    this.#sentinel = sentinel
    tcpdump.stdout!.on('data', (bytes: Buffer) => this.#take(bytes))
  }

  /** Listening when it returns. `sentinel` sends bytes over the namespace's loopback. */
  static async start(argvPrefix: readonly string[], sentinel: (bytes: Buffer) => Promise<void>): Promise<Capture> {
    const dump = [
      'tcpdump',
      '--immediate-mode',
      '-U',
      '-n',
      '-p',
      '-i',
      'any',
      '-y',
      'LINUX_SLL2',
      '-B',
      '16384',
      '-w',
      '-',
    ]
    const [program, ...rest] = ['setpriv', '--pdeathsig', 'KILL', '--', ...argvPrefix, ...dump, 'ip or ip6']
    const tcpdump = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    tcpdump.stderr!.on('data', (bytes: Buffer) => {
      said += bytes
    })
    await poll('tcpdump listens', () => {
      if (tcpdump.exitCode !== null) throw new Error(`tcpdump ended: ${said}`)
      return said.includes('listening on')
    })
    return new Capture(tcpdump, sentinel)
  }

  /**
   * All that passed before this call, without loopback. A sentinel is sent and waited for, so that nothing which was on
   * the wire by now is missing.
   */
  async packets(): Promise<readonly Packet[]> {
    const mark = randomBytes(16)
    await this.#sentinel(mark)
    await poll('the sentinel is in the capture', () => this.#packets.some((packet) => packet.payload.equals(mark)))
    return this.#packets.filter((packet) => !packet.loopback)
  }

  /** What this host sent of UDP, TCP and ICMP (neighbour discovery left out, which is the link's own matter). */
  async sent(): Promise<readonly Packet[]> {
    return (await this.packets()).filter((packet) => packet.outgoing && packet.kind !== 'other')
  }

  stop(): void {
    this.#tcpdump.kill('SIGKILL')
  }

  #take(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes])
    if (!this.#headerRead) {
      if (this.#pending.length < FILE_HEADER_BYTES) return
      this.#pending = this.#pending.subarray(FILE_HEADER_BYTES)
      this.#headerRead = true
    }
    while (this.#pending.length >= RECORD_HEADER_BYTES) {
      const end = RECORD_HEADER_BYTES + this.#pending.readUInt32LE(8)
      if (this.#pending.length < end) return
      this.#packets.push(new Packet(this.#pending.subarray(RECORD_HEADER_BYTES, end)))
      this.#pending = this.#pending.subarray(end)
    }
  }
}
