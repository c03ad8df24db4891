/**
 * One knock in fwknop's way: the packet of one address, for fwknopd and for posternd. Specification: docs/PROTOCOL.md, "fwknop".
 * Pure: time and randomness are handed in.
 */
import { canonicalAddress, type IpAddress } from '../wire/address.js'
import { MAX_FWKNOPD_CHARS, randDigits, sealFwknop } from '../wire/fwknop.js'
import { latin1Bytes } from '../wire/fwknop-base64.js'
import { DIGEST_CHARS } from '../wire/fwknop-digest.js'
import { encodeText, type FwknopMessage, typeOf, VERSION } from '../wire/fwknop-text.js'
import type { FwknopDigest, FwknopKeys, FwknopPort } from '../wire/fwknop-types.js'
import { KnockError } from './error.js'
import { below, type Random } from './knock.js'

const RAND_BYTES = 8
const SALT_BYTES = 8
const BLOCK_BYTES = 16
/** The prefix that every packet would begin with. */
const UNSENT_CHARS = 10
/** 256 characters of base64. */
const MAX_MESSAGE_BYTES = 192
/** The real client's random ports: 10000–65534. */
const LEAST_RANDOM_PORT = 10_000
const RANDOM_PORTS = 55_535

/** Who knocks. */
export interface FwknopIdentity {
  readonly keys: FwknopKeys
  /** Of the message's own digest; the HMAC's is among the keys. */
  readonly digest: FwknopDigest
  /** 1–48 bytes of ASCII, as `isUsername` takes them. */
  readonly username: string
}

/** What is asked for. */
export interface FwknopWish {
  readonly ports: readonly FwknopPort[]
  /** Canonical IPv4; 0.0.0.0: the one that the datagram comes from. */
  readonly address: IpAddress
  /** 0: the server's own; at most 65536. */
  readonly timeoutSeconds: number
}

/**
 * The payload of one datagram, never twice the same. Throws KnockError `option` where all that is asked for does not fit into
 * what a fwknopd reads, RangeError where a field or key is one that no fwknopd takes.
 */
export function fwknopPacket(
  { ports, address, timeoutSeconds }: FwknopWish,
  { keys, digest, username }: FwknopIdentity,
  timeMs: number,
  random: Random,
): Uint8Array {
  const message = [address, ...ports.map(({ protocol, port }) => `${protocol}/${port}`)].join(',')
  const fields: FwknopMessage = {
    rand: randDigits(random(RAND_BYTES)),
    username,
    timeSeconds: Math.floor(timeMs / 1000),
    version: VERSION,
    type: typeOf('none', timeoutSeconds),
    message,
    timeoutSeconds,
    digest,
  }
  if (message.length > MAX_MESSAGE_BYTES || packetChars(fields, keys) > MAX_FWKNOPD_CHARS) throw tooLong(ports)
  return latin1Bytes(sealFwknop(fields, keys, random(SALT_BYTES)))
}

/** How long the packet of this message will be. */
function packetChars(message: FwknopMessage, { hmac }: FwknopKeys): number {
  const blocks = Math.floor(encodeText(message).length / BLOCK_BYTES) + 1
  const chars = Math.ceil(((BLOCK_BYTES + BLOCK_BYTES * blocks) * 8) / 6)
  return chars - UNSENT_CHARS + (hmac ? DIGEST_CHARS[hmac.digest] : 0)
}

/** A port at random for one datagram, as the real client draws it. */
export function randomFwknopPort(random: Random): number {
  return LEAST_RANDOM_PORT + below(RANDOM_PORTS, random)
}

/** Whether an access message can name it: it has room for IPv4 alone. */
export function isFwknopAddress(text: string): boolean {
  return canonicalAddress(text) === text && !text.includes(':')
}

function tooLong(ports: readonly FwknopPort[]): KnockError {
  return new KnockError(
    'option',
    `${ports.length} ports do not fit into one packet of fwknop's, of ${MAX_FWKNOPD_CHARS} characters: knock several times`,
  )
}
