/**
 * What listener and monitor say to each other. Listener → monitor: frames of 64 bytes, typed and fixed, which the monitor
 * checks again and which cannot be anything else. Monitor → listener: a length and JSON, which the listener trusts.
 * Specification: docs/PROTOCOL.md, "The channel". Pure.
 */
import type { Operation, Request } from '../gate/verdict.js'
import { addressFromBytes, addressToBytes16, type IpAddress } from '../wire/address.js'
import type { ResourceId, UserId } from '../wire/ids.js'

export const FRAME_BYTES = 64
const MAGIC = 0x706f7374
const HELLO_NONCE_BYTES = 16

const KINDS = ['request', 'record', 'hello', 'pong', 'counter', 'refused', 'words', 'ended'] as const
const PROTOCOLS: readonly Request['protocol'][] = ['spa', 'letmein', 'fwknop']
const OPERATIONS: readonly Operation[] = ['open', 'revoke', 'extend']

/** Of `words`: as many ASCII characters as there is room for. */
export const WORDS_BYTES = 40
const OPERATION_UNTOLD = 3

/** The number of a pong that answers no ping: the listener has begun to hear. Pings are counted from 1. */
export const UNASKED = 0

/**
 * offset: 0 magic, 4 kind, 5 operation (3: untold), 6 protocol, 7 how many more, 8 sequence or number left out, 12 user or index,
 * 16 resource, 20 lifetime s or index of the reason, 24 address or nonce (16), 40 count or time (u64), 48–63 zero; `words`: 24–63 ASCII,
 * zeros behind it
 */
export type Frame =
  /** A request that passed gate, replay window and policy. */
  | {
      readonly kind: 'request'
      readonly protocol: Request['protocol']
      readonly operation: Operation
      /** Who knocked waits for an answer: the monitor says what became of it. 0: nobody waits. */
      readonly sequence: number
      readonly user: UserId
      readonly resource: ResourceId
      readonly address: IpAddress
      readonly lifetimeSeconds: number
      /** When its datagram was heard, Unix ms: a monitor that stood still must not grant what is long past. */
      readonly heardMs: number
      /** How many requests of the same datagram come right behind it, 0–255: they stand or fall together. */
      readonly more: number
    }
  /** The kernel opened it by itself, for whoever's tag the datagram bore. */
  | { readonly kind: 'record'; readonly user: UserId; readonly resource: ResourceId; readonly address: IpAddress }
  /** A listener begins; the monitor's answer begins with the same nonce. */
  | { readonly kind: 'hello'; readonly nonce: Uint8Array }
  /** `untrustedBelowMs`: up to there nothing is accepted, for the journal is not trusted; 0: it is. */
  | { readonly kind: 'pong'; readonly sequence: number; readonly untrustedBelowMs: number }
  /** How often this reason was counted since the listener began. `index` is its place in the list of reasons. */
  | { readonly kind: 'counter'; readonly index: number; readonly count: number }
  /** An authentic knock that was refused here, for the log. */
  | {
      readonly kind: 'refused'
      readonly protocol: Request['protocol']
      readonly user: UserId
      /** What it asked for, where that was read. */
      readonly wish?: { readonly operation: Operation; readonly resource: ResourceId }
      /** Its place in the list of reasons. */
      readonly reason: number
      /** Where it came from. */
      readonly address: IpAddress
      /** How many of the same user and reason were not told since the last one that was. */
      readonly leftOut: number
    }
  /** It accepts nothing more. `acceptedMs`: the greatest time that was accepted in this boot, Unix ms; 0: nobody can say. */
  | { readonly kind: 'ended'; readonly acceptedMs: number }
  /** 1–40 printable ASCII characters of what the next `refused` has to tell beside its reason; several follow each other. */
  | { readonly kind: 'words'; readonly text: string }

/** The frame's 64 bytes. Throws RangeError where a field does not fit. */
export function encodeFrame(frame: Frame): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC)
  bytes[4] = KINDS.indexOf(frame.kind)
  switch (frame.kind) {
    case 'request':
      bytes[5] = OPERATIONS.indexOf(frame.operation)
      bytes[6] = PROTOCOLS.indexOf(frame.protocol)
      if (!(frame.more >= 0 && frame.more <= 0xff)) throw new RangeError(`${frame.more} more: expected 0–255`)
      bytes[7] = frame.more
      view.setUint32(8, frame.sequence)
      view.setUint32(12, frame.user)
      view.setUint32(16, frame.resource)
      view.setUint32(20, frame.lifetimeSeconds)
      bytes.set(addressToBytes16(frame.address), 24)
      view.setBigUint64(40, BigInt(frame.heardMs))
      break
    case 'record':
      view.setUint32(12, frame.user)
      view.setUint32(16, frame.resource)
      bytes.set(addressToBytes16(frame.address), 24)
      break
    case 'hello':
      if (frame.nonce.length !== HELLO_NONCE_BYTES)
        throw new RangeError(`nonce of ${frame.nonce.length} bytes: expected 16`)
      bytes.set(frame.nonce, 24)
      break
    case 'pong':
      view.setUint32(8, frame.sequence)
      view.setBigUint64(40, BigInt(frame.untrustedBelowMs))
      break
    case 'counter':
      view.setUint32(12, frame.index)
      view.setBigUint64(40, BigInt(frame.count))
      break
    case 'refused':
      bytes[5] = frame.wish === undefined ? OPERATION_UNTOLD : OPERATIONS.indexOf(frame.wish.operation)
      bytes[6] = PROTOCOLS.indexOf(frame.protocol)
      view.setUint32(8, frame.leftOut)
      view.setUint32(12, frame.user)
      view.setUint32(16, frame.wish?.resource ?? 0)
      view.setUint32(20, frame.reason)
      bytes.set(addressToBytes16(frame.address), 24)
      break
    case 'words':
      if (!/^[\x20-\x7e]{1,40}$/.test(frame.text))
        throw new RangeError(`words of ${frame.text.length} characters: expected 1–${WORDS_BYTES} of printable ASCII`)
      bytes.set(Buffer.from(frame.text, 'latin1'), 24)
      break
    case 'ended':
      view.setBigUint64(40, BigInt(frame.acceptedMs))
      break
    default:
      frame satisfies never
  }
  return bytes
}

/**
 * The frame in 64 bytes, or undefined where they are none: a frame has one encoding, and anything else in it is no frame.
 * Never throws, whatever the bytes are.
 */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  const frame = readFrame(bytes)
  return frame !== undefined && Buffer.compare(encodeFrame(frame), bytes) === 0 ? frame : undefined
}

function readFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length !== FRAME_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_BYTES)
  if (view.getUint32(0) !== MAGIC) return undefined
  const user = view.getUint32(12)
  const resource = view.getUint32(16)
  const sixteen = bytes.subarray(24, 40)
  switch (KINDS[bytes[4]!]) {
    case 'request': {
      const operation = OPERATIONS[bytes[5]!]
      const protocol = PROTOCOLS[bytes[6]!]
      if (operation === undefined || protocol === undefined) return undefined
      const address = addressFromBytes(sixteen)
      const [sequence, lifetimeSeconds, more] = [view.getUint32(8), view.getUint32(20), bytes[7]!]
      const heardMs = Number(view.getBigUint64(40))
      return { kind: 'request', protocol, operation, sequence, user, resource, address, lifetimeSeconds, heardMs, more }
    }
    case 'record':
      return { kind: 'record', user, resource, address: addressFromBytes(sixteen) }
    case 'hello':
      return { kind: 'hello', nonce: sixteen.slice() }
    case 'pong':
      return { kind: 'pong', sequence: view.getUint32(8), untrustedBelowMs: Number(view.getBigUint64(40)) }
    case 'counter':
      return { kind: 'counter', index: user, count: Number(view.getBigUint64(40)) }
    case 'refused': {
      const operation = OPERATIONS[bytes[5]!]
      const protocol = PROTOCOLS[bytes[6]!]
      if (protocol === undefined) return undefined
      const wish = operation === undefined ? {} : { wish: { operation, resource } }
      const [leftOut, reason] = [view.getUint32(8), view.getUint32(20)]
      return { kind: 'refused', protocol, user, ...wish, reason, address: addressFromBytes(sixteen), leftOut }
    }
    case 'words': {
      const text = Buffer.from(bytes.subarray(24)).toString('latin1').replace(/\0+$/, '')
      return /^[\x20-\x7e]+$/.test(text) ? { kind: 'words', text } : undefined
    }
    case 'ended':
      return { kind: 'ended', acceptedMs: Number(view.getBigUint64(40)) }
    default:
      return undefined
  }
}

/**
 * Cuts a stream into frames. A listener that was killed, or is hostile, may leave half a frame: bytes up to the next magic
 * are passed over and counted, at most one frame's length of them is kept.
 */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array(0)
  skippedBytes = 0

  /** All whole frames in what was kept and `chunk`. Never throws. */
  push(chunk: Uint8Array): Frame[] {
    const bytes = this.#rest.length === 0 ? chunk : concat(this.#rest, chunk)
    const frames: Frame[] = []
    let at = 0
    while (bytes.length - at >= FRAME_BYTES) {
      const frame = decodeFrame(bytes.subarray(at, at + FRAME_BYTES))
      if (frame === undefined) {
        at++
        this.skippedBytes++
        continue
      }
      frames.push(frame)
      at += FRAME_BYTES
    }
    this.#rest = bytes.slice(at)
    return frames
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
