/** Waits until the ports that a knock asked for are open: at one address each, whichever family it is of. */
import type { Probe } from './probe.js'
import type { Destination } from './resolve.js'

export interface Opened {
  readonly port: number
  readonly to: Destination
  /** From the beginning of the waiting to the connection. */
  readonly afterMs: number
}

export class Watch {
  readonly opened = new Map<number, Opened>()
  /** Settles when every port is open, the time has run out, or stop() was called. */
  readonly over: Promise<void>
  readonly #ports: readonly number[]
  readonly #probe: Probe
  readonly #ends: ReadonlyMap<number, AbortController>
  readonly #startMs = performance.now()
  #isOver = false
  #finish: () => void = () => {}

  /** Begins to count: after timeoutMs it is over, whatever is open by then. */
  constructor(ports: readonly number[], timeoutMs: number, probe: Probe) {
    this.#ports = ports
    this.#probe = probe
    this.#ends = new Map(ports.map((port) => [port, new AbortController()]))
    this.over = new Promise((resolve) => {
      const timer = setTimeout(() => this.stop(), timeoutMs)
      this.#finish = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Probes these addresses as well, from now on. */
  follow(destinations: readonly Destination[]): void {
    for (const port of this.#ports) void this.#followPort(port, destinations)
  }

  /** Ends all probing. */
  stop(): void {
    this.#isOver = true
    for (const end of this.#ends.values()) end.abort()
    this.#finish()
  }

  async #followPort(port: number, destinations: readonly Destination[]): Promise<void> {
    const end = this.#ends.get(port)!
    const to = await this.#probe(destinations, port, end.signal)
    if (to === undefined || this.opened.has(port)) return
    this.opened.set(port, { port, to, afterMs: performance.now() - this.#startMs })
    end.abort()
    if (this.opened.size === this.#ports.length) this.stop()
  }
}
