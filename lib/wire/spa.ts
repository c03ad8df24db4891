/**
 * postern SPA version 1: a datagram's bytes and what they mean. Specification: docs/PROTOCOL.md, "Datagram" and "Payload".
 * Pure: time and randomness are handed in.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import type { Operation, Silence } from '../gate/verdict.js'
import { addressFromBytes, addressToBytes16, type IpAddress } from './address.js'
import type { ResourceId, UserId } from './ids.js'
import { KEY_BYTES, TAG_BYTES } from './spa-keys.js'

export const VERSION = 1
export const NONCE_BYTES = 24
export const SEAL_BYTES = 16
/** The payload without its pad. */
export const PAYLOAD_BYTES = 38
export const MAX_PAD = 170
export const MIN_BYTES = TAG_BYTES + NONCE_BYTES + PAYLOAD_BYTES + SEAL_BYTES
export const MAX_BYTES = MIN_BYTES + MAX_PAD
export const MAX_TIME_MS = 2 ** 48 - 1

/** A number's meaning is its place here. */
const OPERATIONS: readonly Operation[] = ['open', 'revoke', 'extend']
const FLAG_ADDRESS = 1
const FLAG_INSTANT = 2
const OFFSET = {
  version: 0,
  operation: 1,
  flags: 2,
  zero: 3,
  time: 4,
  user: 10,
  resource: 14,
  lifetime: 18,
  address: 22,
}

/** What one datagram asks for. Addresses are canonical text; times are Unix ms. */
export interface Knock {
  readonly operation: Operation
  readonly user: UserId
  readonly resource: ResourceId
  readonly timeMs: number
  /** 0: what the server's configuration says. */
  readonly lifetimeSeconds: number
  /** None: the datagram's source is meant. */
  readonly address?: IpAddress
  /** For the kernel alone: the nonce begins with a token, and user space opens nothing. Plain open only. */
  readonly instant: boolean
}

/** Why a datagram is no knock, and what was found where the seal was right. */
export interface Refusal {
  readonly why: Silence
  readonly detail?: string
}

/**
 * The 86–256 bytes on the wire. sealKey has 32 bytes, tag 8, nonce 24 (fresh; the first 16 a token in an instant one), pad
 * is 0–170. Throws RangeError where something does not fit.
 */
export function seal(knock: Knock, sealKey: Uint8Array, tag: Uint8Array, nonce: Uint8Array, pad: number): Uint8Array {
  checkLength('seal key', sealKey, KEY_BYTES)
  checkLength('tag', tag, TAG_BYTES)
  checkLength('nonce', nonce, NONCE_BYTES)
  const payload = payloadOf(knock, pad)
  const datagram = new Uint8Array(MIN_BYTES + pad)
  datagram.set(tag)
  datagram.set(nonce, TAG_BYTES)
  datagram.set(xchacha20poly1305(sealKey, nonce, tag).encrypt(payload), TAG_BYTES + NONCE_BYTES)
  return datagram
}

/** The 38–208 bytes that are sealed. Throws RangeError where a field does not fit. */
export function payloadOf(knock: Knock, pad: number): Uint8Array {
  checkRange('pad', pad, MAX_PAD)
  checkRange('time', knock.timeMs, MAX_TIME_MS)
  checkRange('user', knock.user, 0xffffffff)
  checkRange('resource', knock.resource, 0xffffffff)
  checkRange('lifetime', knock.lifetimeSeconds, 0xffffffff)
  const operation = OPERATIONS.indexOf(knock.operation)
  if (operation < 0) throw new RangeError(`operation "${knock.operation}": expected ${OPERATIONS.join(', ')}`)
  if (knock.instant && !(operation === 0 && knock.lifetimeSeconds === 0 && knock.address === undefined))
    throw new RangeError('instant knock: expected a plain open, without lifetime and address')
  const payload = new Uint8Array(PAYLOAD_BYTES + pad)
  const view = new DataView(payload.buffer)
  payload[OFFSET.version] = VERSION
  payload[OFFSET.operation] = operation
  payload[OFFSET.flags] = (knock.address === undefined ? 0 : FLAG_ADDRESS) | (knock.instant ? FLAG_INSTANT : 0)
  view.setUint16(OFFSET.time, Math.floor(knock.timeMs / 2 ** 32))
  view.setUint32(OFFSET.time + 2, knock.timeMs >>> 0)
  view.setUint32(OFFSET.user, knock.user)
  view.setUint32(OFFSET.resource, knock.resource)
  view.setUint32(OFFSET.lifetime, knock.lifetimeSeconds)
  if (knock.address !== undefined) {
    const address = addressToBytes16(knock.address)
    if (isUnspecified(address)) throw new RangeError(`address "${knock.address}": expected one that a host can have`)
    payload.set(address, OFFSET.address)
  }
  return payload
}

/** The knock in it, or why it is none. Never throws, whatever the bytes are; sealKey has 32 bytes. */
export function open(datagram: Uint8Array, sealKey: Uint8Array): Knock | Refusal {
  if (datagram.length < MIN_BYTES || datagram.length > MAX_BYTES) return { why: 'length' }
  const tag = datagram.subarray(0, TAG_BYTES)
  const nonce = datagram.subarray(TAG_BYTES, TAG_BYTES + NONCE_BYTES)
  let payload: Uint8Array
  try {
    payload = xchacha20poly1305(sealKey, nonce, tag).decrypt(datagram.subarray(TAG_BYTES + NONCE_BYTES))
  } catch {
    return { why: 'seal' }
  }
  return knockIn(payload)
}

/** The payload table's rules, field by field: whatever this version does not define is refused. */
function knockIn(payload: Uint8Array): Knock | Refusal {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const version = view.getUint8(OFFSET.version)
  if (version !== VERSION) return { why: 'version', detail: `version ${version}` }
  const operation = OPERATIONS[view.getUint8(OFFSET.operation)]
  if (operation === undefined) return { why: 'operation', detail: `operation ${view.getUint8(OFFSET.operation)}` }
  const flags = view.getUint8(OFFSET.flags)
  if (flags > FLAG_INSTANT) return { why: 'flags', detail: `flags ${flags}` }
  const instant = flags === FLAG_INSTANT
  const lifetimeSeconds = view.getUint32(OFFSET.lifetime)
  if (instant && (operation !== 'open' || lifetimeSeconds !== 0))
    return { why: 'flags', detail: `instant ${operation} for ${lifetimeSeconds} s` }
  if (view.getUint8(OFFSET.zero) !== 0) return { why: 'reserved', detail: 'byte 3 is not zero' }
  if (!isZero(payload.subarray(PAYLOAD_BYTES))) return { why: 'pad', detail: 'pad is not zero' }
  const addressBytes = payload.subarray(OFFSET.address, PAYLOAD_BYTES)
  if (flags !== FLAG_ADDRESS && !isZero(addressBytes))
    return { why: 'address', detail: 'address given, but its flag is clear' }
  if (flags === FLAG_ADDRESS && isUnspecified(addressBytes))
    return { why: 'address', detail: `address ${addressFromBytes(addressBytes)}` }
  return {
    operation,
    user: view.getUint32(OFFSET.user),
    resource: view.getUint32(OFFSET.resource),
    timeMs: view.getUint16(OFFSET.time) * 2 ** 32 + view.getUint32(OFFSET.time + 2),
    lifetimeSeconds,
    ...(flags === FLAG_ADDRESS && { address: addressFromBytes(addressBytes) }),
    instant,
  }
}

/** :: and ::ffff:0.0.0.0, which no sender can have: refused rather than guessed at. */
function isUnspecified(address: Uint8Array): boolean {
  return isZero(address) || addressFromBytes(address) === '0.0.0.0'
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

function checkLength(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`${name} of ${bytes.length} bytes: expected ${length}`)
}

function checkRange(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new RangeError(`${name} ${value}: expected a whole number 0–${most}`)
}
