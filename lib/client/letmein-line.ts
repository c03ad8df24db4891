/** The way to one letmein server and back: what UDP (letmein-udp.ts) and TCP (letmein-tcp.ts) have in common. */
import type { Destination } from './resolve.js'

export type Transport = 'udp' | 'tcp'

/** Why nothing comes of a line. Stable words. */
export type LineFault =
  /** An ICMP message (UDP), or a reset instead of a connection (TCP): nothing is served there. */
  | 'refused'
  /** TCP: the server hung up. */
  | 'closed'
  /** No way there from this machine. */
  | 'unreachable'

/** What a line tells. Never called before `Dial` has returned, nor after `close`. */
export interface LineEvents {
  /** What is sent from now on goes out. */
  readonly up: () => void
  /** UDP: a datagram of the server's. TCP: 56 bytes of its stream. */
  readonly heard: (bytes: Uint8Array) => void
  /** `isFinal`: nothing more will come. After an ICMP message something may: posternd hears where nothing is bound. */
  readonly broken: (fault: LineFault, detail: string, isFinal: boolean) => void
}

export interface Line {
  send(bytes: Uint8Array): void
  /** Gives the port back. */
  close(): void
}

/** A new line from a port of its own. */
export type Dial = (to: Destination, port: number, events: LineEvents) => Line

/** The error's stable word: ENETUNREACH and the like. */
export function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message
}
