/**
 * Knocks at a host and connects to it: the first SYN leaves right behind the knock, whatever protocol that is of, so a port
 * that is open already costs nothing more than a plain connection, and the knock renews its lease all the same.
 */
import type { Socket } from 'node:net'
import type { ClientOutside } from './client-system.js'
import type { Outside } from './deliver.js'
import { codeOf } from './letmein-line.js'
import { type DialTcp, Race, systemTimers, type Timers, type Tried } from './race.js'
import type { Destination } from './resolve.js'

/** How long `connect` waits for a port where nothing is said. */
export const CONNECT_TIMEOUT_MS = 10_000
/** A lost datagram need not be waited out: it is sent again a second later. */
export const CONNECT_TRIES = 3

/**
 * A knock by any protocol that waits for one port by `outside.probe`, for as long as it is to be waited for. Its own account
 * of what happened is only needed where the port stays shut.
 */
export type Knocking<Outer, Account> = (outside: Outer) => Promise<Account>

export type Connected<Account> =
  | { readonly kind: 'connected'; readonly socket: Socket; readonly to: Destination }
  | { readonly kind: 'shut'; readonly account: Account; readonly tried: readonly Tried[] }

export interface Dialling {
  readonly dial: DialTcp<Socket>
  readonly timers?: Timers
}

/**
 * The connection that stands first. Throws what `knocking` throws (no address, nothing sent); a port that stays shut is an
 * outcome. A knock that is not over by then, as an exchange may be, goes on by itself.
 */
export async function connect<Account, Outer extends Outside = ClientOutside>(
  { dial, timers = systemTimers }: Dialling,
  knocking: Knocking<Outer, Account>,
  outside: Outer,
): Promise<Connected<Account>> {
  const race = new Race(dial, timers)
  const account = knocking({ ...outside, ...raced(race, outside) })
  // Once a connection stands nobody asks for it.
  account.catch(() => {})
  try {
    const won = race.won.then(({ connection, to }) => ({ kind: 'connected', socket: connection, to }) as const)
    const shut = account.then((told) => ({ kind: 'shut', account: told, tried: race.tried }) as const)
    return await Promise.race([won, shut])
  } finally {
    race.stop()
  }
}

/** The part of the outside by which a knock tells the race what it does, and learns that the port is open. */
function raced(race: Race<Socket>, { lookup, send }: Outside): Pick<Outside, 'lookup' | 'send' | 'probe'> {
  return {
    lookup: async (name, family) => {
      race.expect(family)
      try {
        return await lookup(name, family)
      } catch (error) {
        race.expectNone(family)
        throw error
      }
    },
    send: async (outgoing) => {
      const sent = await send(outgoing)
      race.again()
      return sent
    },
    probe: (found, _port, signal) => {
      if (signal.aborted) return Promise.resolve(undefined)
      race.follow(found)
      return new Promise((resolve) => {
        const end = () => resolve(undefined)
        signal.addEventListener('abort', end, { once: true })
        void race.won.then(({ to }) => {
          signal.removeEventListener('abort', end)
          resolve(to)
        })
      })
    },
  }
}

export interface SocketChoices {
  /** Nothing is read before `resume()`: what the server says first waits in the kernel, for whoever the socket goes to. */
  readonly isPaused?: boolean
  /** Where what is read goes; none: the stream's own events. */
  readonly onread?: {
    readonly buffer: () => Uint8Array
    readonly callback: (bytes: number, buffer: Uint8Array) => boolean
  }
}

/**
 * Real TCP sockets to this port, both of whose directions end for themselves; no delay, kept alive. Loads node:net, which a
 * program that only knocks does without.
 */
export async function dialPort(
  port: number,
  { isPaused = false, onread }: SocketChoices = {},
): Promise<DialTcp<Socket>> {
  const { connect: dialSocket } = await import('node:net')
  return ({ address, family }, { stands, failed }) => {
    const socket = dialSocket({
      host: address,
      port,
      family,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      ...(onread && { onread }),
    })
    if (isPaused) socket.pause()
    const forget = () => {
      socket.off('connect', up)
      socket.off('error', down)
    }
    const up = () => {
      forget()
      stands(socket)
    }
    const down = (error: Error) => {
      forget()
      socket.on('error', () => {})
      failed(codeOf(error))
    }
    socket.on('connect', up)
    socket.on('error', down)
    return () => {
      forget()
      socket.on('error', () => {})
      socket.destroy()
    }
  }
}
