/**
 * The enroll line: all that a client needs to knock at one server as one user, as text that can be piped, pasted or shown as
 * a QR code. Specification: docs/PROTOCOL.md, "Enroll line". Pure.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import type { ResourceId, UserId } from './ids.js'

export const ENROLL_PREFIX = 'postern1:'
const KEY_BYTES = 32
const LENGTH_BYTES = 2
const CHECKSUM_BYTES = 8
/** Length, user, port, flags, key, realm's and host's lengths, number of resources, checksum. */
const LEAST_BYTES = LENGTH_BYTES + 4 + 2 + 1 + KEY_BYTES + 3 + CHECKSUM_BYTES
/** A QR code of the largest kind holds less. */
const MOST_BYTES = 2048
const DOMAIN = new TextEncoder().encode('postern enroll 1')

const ALSO_LETMEIN = 1
const [TCP, UDP, INSTANT, COUNTED] = [1, 2, 4, 8]

export interface EnrolledResource {
  readonly id: ResourceId
  readonly name?: string
  readonly ports: readonly { readonly first: number; readonly last: number }[]
  readonly protocols: readonly ('tcp' | 'udp')[]
  readonly instant: boolean
  /** How long a lease lasts where the knock says nothing, whole seconds: what keeps it open must know. */
  readonly timeoutSeconds: number
  /** How many connections a lease lets in; 0: no bound. */
  readonly connections: number
}

export interface Enrolment {
  /** Name or address of the server, as it is knocked at. */
  readonly host: string
  readonly port: number | 'any'
  /** The server hears letmein's exchange at this port, too. */
  readonly alsoLetmein: boolean
  readonly realm: string
  readonly user: UserId
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly resources: readonly EnrolledResource[]
}

/**
 * Why a text is no enroll line. `none`: it is something else; `version`: of a later postern; `cut`: its end is missing;
 * `long`: something is behind its end; `altered`: a character is not what it was; `content`: whole, but it says what no
 * posternd writes.
 */
export type EnrolMisfit = 'none' | 'version' | 'cut' | 'long' | 'altered' | 'content'

/** The line, without an end of line. Throws RangeError where something does not fit. */
export function encodeEnrolment(enrolment: Enrolment): string {
  const { host, port, alsoLetmein, realm, user, key, resources } = enrolment
  if (key.length !== KEY_BYTES) throw new RangeError(`key of ${key.length} bytes: expected ${KEY_BYTES}`)
  const body = [
    ...u32(user),
    ...u16(port === 'any' ? 0 : port),
    alsoLetmein ? ALSO_LETMEIN : 0,
    ...key,
    ...text(realm),
    ...text(host),
    ...u8(resources.length, 'resources'),
    ...resources.flatMap(resourceBytes),
  ]
  const length = LENGTH_BYTES + body.length + CHECKSUM_BYTES
  if (length > MOST_BYTES) throw new RangeError(`an enroll line of ${length} bytes: expected at most ${MOST_BYTES}`)
  const bytes = Uint8Array.from([...u16(length), ...body])
  return ENROLL_PREFIX + Buffer.concat([bytes, checksum(bytes)]).toString('base64url')
}

/** What a line says, or why it is none. White space at its ends does not count. Never throws, whatever the text is. */
export function decodeEnrolment(line: string): Enrolment | { readonly why: EnrolMisfit } {
  const trimmed = line.trim()
  const [, version, encoded = ''] = /^postern([0-9]{1,3}):(.*)$/s.exec(trimmed) ?? []
  if (version === undefined) return { why: ENROLL_PREFIX.startsWith(trimmed) && trimmed !== '' ? 'cut' : 'none' }
  if (version !== '1') return { why: 'version' }
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.length < LENGTH_BYTES) return { why: 'cut' }
  const length = bytes.readUInt16BE()
  // Written out again it must be the same text: else characters that are none, or spare bits, would go unnoticed.
  const isExact = bytes.toString('base64url') === encoded
  if (bytes.length < length && length <= MOST_BYTES)
    return { why: /^[A-Za-z0-9_-]*$/.test(encoded) ? 'cut' : 'altered' }
  if (bytes.length > length && length >= LEAST_BYTES) return { why: 'long' }
  if (!isExact || bytes.length !== length || length < LEAST_BYTES) return { why: 'altered' }
  const end = length - CHECKSUM_BYTES
  if (!bytes.subarray(end).equals(checksum(bytes.subarray(0, end)))) return { why: 'altered' }
  try {
    return read(bytes.subarray(LENGTH_BYTES, end))
  } catch {
    return { why: 'content' }
  }
}

/** Throws RangeError where a field does not fit. */
function read(bytes: Buffer): Enrolment {
  let at = 0
  const take = (count: number) => {
    if (at + count > bytes.length) throw new RangeError('a field goes beyond the end')
    at += count
    return bytes.subarray(at - count, at)
  }
  const byte = () => take(1)[0]!
  const word = () => take(2).readUInt16BE()
  const string = () => new TextDecoder('utf-8', { fatal: true }).decode(take(byte()))
  const user = take(4).readUInt32BE()
  const port = word() || 'any'
  const flags = byte()
  const key = Uint8Array.from(take(KEY_BYTES))
  const realm = string()
  const host = string()
  const resources = Array.from({ length: byte() }, (): EnrolledResource => {
    const id = take(4).readUInt32BE()
    const kind = byte()
    const timeoutSeconds = take(4).readUInt32BE()
    const connections = kind & COUNTED ? word() : 0
    const name = string()
    const ports = Array.from({ length: byte() }, () => ({ first: word(), last: word() }))
    const protocols = [...(kind & TCP ? (['tcp'] as const) : []), ...(kind & UDP ? (['udp'] as const) : [])]
    if (kind >= 16 || protocols.length === 0 || ports.length === 0) throw new RangeError('a resource')
    if (timeoutSeconds === 0) throw new RangeError('timeout')
    if (ports.some(({ first, last }) => first < 1 || last < first)) throw new RangeError('ports')
    if (!/^(?![0-9]+$)[A-Za-z0-9_.-]{0,32}$/.test(name)) throw new RangeError('name')
    return {
      id,
      ...(name !== '' && { name }),
      ports,
      protocols,
      instant: (kind & INSTANT) !== 0,
      timeoutSeconds,
      connections,
    }
  })
  // What goes into a file must not be able to begin a line of its own there.
  if (at !== bytes.length || flags > ALSO_LETMEIN) throw new RangeError('what is behind the resources')
  if (!/^[^\s/[\]=\p{Cc}]{1,253}$/u.test(host)) throw new RangeError('host')
  if (/\p{Cc}|^\s|\s$/u.test(realm)) throw new RangeError('realm')
  return { host, port, alsoLetmein: flags === ALSO_LETMEIN, realm, user, key, resources }
}

function resourceBytes({
  id,
  name = '',
  ports,
  protocols,
  instant,
  timeoutSeconds,
  connections,
}: EnrolledResource): number[] {
  const kind =
    (protocols.includes('tcp') ? TCP : 0) |
    (protocols.includes('udp') ? UDP : 0) |
    (instant ? INSTANT : 0) |
    (connections > 0 ? COUNTED : 0)
  return [
    ...u32(id),
    kind,
    ...u32(timeoutSeconds),
    ...(connections > 0 ? u16(connections) : []),
    ...text(name),
    ...u8(ports.length, 'port ranges'),
    ...ports.flatMap(({ first, last }) => [...u16(first), ...u16(last)]),
  ]
}

/** Against accidents, not against whoever wrote the line: who can make one has the key anyway. */
function checksum(bytes: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([DOMAIN, bytes])).subarray(0, CHECKSUM_BYTES)
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value)
  return [...u8(bytes.length, 'bytes of a text'), ...bytes]
}

function u8(value: number, what: string): number[] {
  if (value > 0xff) throw new RangeError(`${value} ${what}: expected at most 255`)
  return [value]
}

function u16(value: number): number[] {
  return [value >>> 8, value & 0xff]
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}
