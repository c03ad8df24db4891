/**
 * What fwknop's two ends are configured with, in the words of its files. Specification: docs/PROTOCOL.md, "fwknop". Nothing in a
 * packet says which of them it was made with. Pure.
 */

/** Digest of the packet's text, and of its HMAC. */
export type FwknopDigest = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512' | 'sha3_256' | 'sha3_512'

/** `legacy`: CBC with the key preparation of before 2.5. */
export type FwknopMode = 'cbc' | 'ecb' | 'cfb' | 'ofb' | 'ctr' | 'legacy'

/** What a packet's HMAC is made with. Its key: 1–136 bytes. */
export interface FwknopHmac {
  readonly key: Uint8Array
  readonly digest: FwknopDigest
}

/** What one packet is encrypted and authenticated with. */
export interface FwknopKeys {
  /** 1–32 bytes, as they are in KEY or decoded from KEY_BASE64. */
  readonly key: Uint8Array
  readonly mode: FwknopMode
  /** undefined: packets without an HMAC. */
  readonly hmac?: FwknopHmac
}

/** One `proto/port` of an access message, of OPEN_PORTS and of RESTRICT_PORTS. */
export interface FwknopPort {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
}

/** `tcp/22`: how messages show it, and the key of a map of them. */
export function portName({ protocol, port }: FwknopPort): string {
  return `${protocol}/${port}`
}
