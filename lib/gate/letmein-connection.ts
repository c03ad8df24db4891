/**
 * letmein over TCP: one connection is one exchange of two messages each way. Specification: docs/PROTOCOL.md, "The letmein
 * exchange". Pure; holds at most 55 bytes, and takes at most 112.
 */
import type { Now } from '../replay/clock.js'
import { MessageStream } from '../wire/letmein-stream.js'
import type { LetmeinGate, LetmeinVerdict } from './letmein.js'
import type { Path } from './verdict.js'

export class LetmeinConnection {
  readonly #gate: LetmeinGate
  readonly #path: Path
  readonly #stream = new MessageStream()
  #messages = 0
  #isOver = false

  /** Addresses in canonical form: a socket of both families says ::ffff:192.0.2.7 of an IPv4 peer. */
  constructor(gate: LetmeinGate, path: Path) {
    this.#gate = gate
    this.#path = { ...path, transport: 'tcp' }
  }

  /** True once nothing more is read: the connection ends when all is sent. */
  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * What is to be done now that these bytes came, in this order: a reply is sent; silence is the end, without a byte; a
   * request is the end once it has been answered. Never throws.
   */
  heard(piece: Uint8Array, now: Now): LetmeinVerdict[] {
    if (this.#isOver) return []
    const verdicts: LetmeinVerdict[] = []
    for (const bytes of this.#stream.take(piece)) {
      const verdict = this.#gate.judge({ ...this.#path, bytes }, now)
      verdicts.push(verdict)
      this.#isOver = verdict.kind !== 'reply' || verdict.isLast || ++this.#messages === 2
      if (this.#isOver) break
    }
    return verdicts
  }
}
