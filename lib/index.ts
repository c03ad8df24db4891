/**
 * postern for Node programs: knock at a host before connecting to it, or do both at once. Importing this does nothing.
 *
 *     import { fromConfig, knock, open } from 'postern'
 *     const gate = fromConfig('gate.example.org', 5432)   // or { host, port, resource, user, key, realm }
 *     const socket = await open(gate)                // a node:net Socket, connected
 *     await knock({ ...gate, waitMs: 5000 })         // or only: make it open
 */
import type { Socket } from 'node:net'
import { CONNECT_TIMEOUT_MS, CONNECT_TRIES, connect, dialPort } from './client/connect.js'
import type { Outside } from './client/deliver.js'
import { KnockError } from './client/error.js'
import type { Wish } from './client/knock.js'
import { type Errand, type Outcome, perform, system } from './client/perform.js'
import type { Operation } from './gate/verdict.js'
import { canonicalAddress, type Family } from './wire/address.js'
import { KEY_BYTES } from './wire/spa-keys.js'

const MAX_U32 = 0xffffffff
const MAX_PORT = 65_535
/** What setTimeout takes: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1

export { KnockError, type KnockErrorCode } from './client/error.js'
export { type ConfiguredKnock, fromConfig } from './client/from-config.js'
export { ConfigError, type ConfigErrorCode } from './config/error.js'

export interface KnockOptions {
  /** Name, IPv4 or IPv6 address (`fe80::1%eth0` too). */
  readonly host: string
  /** The resource's id in the server's configuration, 0–4294967295. */
  readonly resource: number
  /** The user's id, 0–4294967295; 0 where none is said. */
  readonly user?: number
  /** The user's key: 32 bytes, or 64 hex digits. */
  readonly key: Uint8Array | string
  /** `[SPA] realm` of the server; empty where none is said. */
  readonly realm?: string
  /** `open` where none is said; `extend` prolongs an open lease and never opens one. */
  readonly operation?: Operation
  /** Where the server hears knocks: 5800 where none is said; `any`: a random high port for each datagram. */
  readonly controlPort?: number | 'any'
  /** Wanted length of the lease in seconds; 0, the default: the server's own. */
  readonly lifetimeSeconds?: number
  /**
   * The address to open for, where it is not the one that the datagrams come from. `auto`: names the one that they leave from,
   * where it is a global one, so that nobody else can use them for himself (docs/PROTOCOL.md, "Naming one's own address").
   */
  readonly address?: string
  /** Which addresses of the host are knocked at; both families where none is said. */
  readonly families?: readonly Family[]
  /** The resource is `instant: yes` on the server: the kernel opens it, ahead of everything. */
  readonly instant?: boolean
  /** How often it is sent, a second apart, unless the port is open before; 1 where none is said. */
  readonly tries?: number
  /** The TCP port that the resource guards. Only needed to wait for it. */
  readonly port?: number
  /** Wait until `port` takes connections, for at most this long. */
  readonly waitMs?: number
}

export interface KnockResult {
  /** Addresses that were knocked at. */
  readonly addresses: readonly string[]
  /** Datagrams that the kernel took. Nobody acknowledges them. */
  readonly sent: number
  /** With `waitMs`: the address whose port was found open; undefined: still shut when the time was over. */
  readonly openAt?: string
}

/**
 * Sends one knock to all addresses of a host. Throws KnockError: `option` (out of range), `resolve` (no address found),
 * `send` (nothing could be sent). A port that stays shut is no error: see `openAt`.
 */
export async function knock(options: KnockOptions): Promise<KnockResult> {
  return resultOf(await perform(errandOf(options)))
}

export interface OpenOptions extends Omit<KnockOptions, 'operation'> {
  /** The TCP port to connect to. */
  readonly port: number
  /** How long to try; 10,000 where none is said. */
  readonly waitMs?: number
}

/**
 * Knocks, and connects the moment the port opens: the first SYN leaves right behind the knock, fresh ones follow at short
 * intervals, IPv6 goes first and IPv4 is not far behind (RFC 8305). The knock is sent three times at most where `tries` says nothing. A
 * port that is open already is taken at once, and its lease renewed.
 *
 * The socket is as `net.connect` gives it, but with `allowHalfOpen`, `noDelay` and `keepAlive`: nothing of what the server says is
 * lost while nobody listens, and it is the caller's to end. Throws KnockError as `knock` does, and `shut` where the port did not open.
 *
 *     import { open } from 'postern'
 *
 *     const socket = await open({ host: 'gate.example.org', port: 25, resource: 0x25, user: 1, key, realm: 'gate' })
 *     socket.on('data', (bytes) => process.stdout.write(bytes))
 *     socket.end('QUIT\r\n')
 */
export async function open(options: OpenOptions): Promise<Socket> {
  const { port, waitMs = CONNECT_TIMEOUT_MS, tries = CONNECT_TRIES } = options
  const errand = errandOf({ ...options, waitMs, tries })
  const dial = await dialPort(port)
  const found = await connect<Outcome, Outside>({ dial }, (raced) => perform(errand, raced), system)
  if (found.kind === 'connected') return found.socket
  const tried = found.tried.map(({ to, code = 'no answer' }) => `${to.address}: ${code}`)
  throw new KnockError(
    'shut',
    `port ${port} of ${options.host} is still shut ${waitMs / 1000} s after the knock (${tried.join(', ')}): look at the server's log`,
  )
}

/** Takes back what `knock` opened for this address. As `knock`, with operation `revoke`. */
export function revoke(options: Omit<KnockOptions, 'operation' | 'instant' | 'lifetimeSeconds'>): Promise<KnockResult> {
  return knock({ ...options, operation: 'revoke' })
}

function errandOf(options: KnockOptions): Errand {
  const { port, waitMs, controlPort = 5800 } = options
  if (waitMs !== undefined && port === undefined)
    throw new KnockError('option', 'waitMs without port: name the TCP port')
  const user = whole('user', options.user ?? 0, 0, MAX_U32)
  return {
    host: options.host,
    families: options.families ?? [4, 6],
    identity: { user, key: keyBytes(options.key), realm: options.realm ?? '' },
    wishes: [wishOf(options)],
    controlPort: controlPort === 'any' ? 'any' : whole('controlPort', controlPort, 1, MAX_PORT),
    tries: whole('tries', options.tries ?? 1, 1, 100),
    namesSource: options.address === 'auto',
    ...(waitMs !== undefined && {
      wait: { ports: [whole('port', port!, 1, MAX_PORT)], timeoutMs: whole('waitMs', waitMs, 1, MAX_TIMER_MS) },
    }),
  }
}

function wishOf({ operation = 'open', resource, lifetimeSeconds = 0, address, instant = false }: KnockOptions): Wish {
  const canonical = address === undefined || address === 'auto' ? undefined : canonicalAddress(address)
  if (address !== undefined && address !== 'auto' && canonical === undefined) {
    throw new KnockError('option', `address ${JSON.stringify(address)}: expected an IPv4 or IPv6 address, or auto`)
  }
  const plain = operation === 'open' && lifetimeSeconds === 0 && address === undefined
  return {
    operation,
    resource: whole('resource', resource, 0, MAX_U32),
    lifetimeSeconds: whole('lifetimeSeconds', lifetimeSeconds, 0, MAX_U32),
    instant: instant && plain ? 'first' : 'no',
    ...(canonical !== undefined && { address: canonical }),
  }
}

function keyBytes(key: Uint8Array | string): Uint8Array {
  if (typeof key === 'string' ? !/^[0-9a-fA-F]{64}$/.test(key) : key.length !== KEY_BYTES) {
    throw new KnockError('option', `key of ${key.length}: expected 32 bytes or 64 hex digits`)
  }
  return typeof key === 'string' ? Uint8Array.from(Buffer.from(key, 'hex')) : key
}

/** The number, if it is a whole one within the bounds. */
function whole(option: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new KnockError('option', `${option} ${value}: expected a whole number ${least}–${most}`)
  }
  return value
}

function resultOf({ destinations, sendings, opened }: Outcome): KnockResult {
  const [open] = opened.values()
  return {
    addresses: destinations.map(({ address }) => address),
    sent: sendings.filter(({ error }) => error === undefined).length,
    ...(open && { openAt: open.to.address }),
  }
}
