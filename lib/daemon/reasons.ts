/**
 * Why a datagram that reached user space opened nothing: the words that `posternd status` counts, in the fixed order in
 * which counter frames number them, and what an operator is told.
 */
import type { FwknopWhy } from '../gate/verdict.js'

/** The same of fwknop's packets, which are refused in words of their own. */
const FWKNOP = {
  length: 'it is longer than the stanza’s keys can make one',
  alphabet: 'it is no base64',
  prefix: 'it does not begin as a packet does',
  key: 'the stanza’s key has a length that no packet is made with',
  hmac: 'no stanza has its HMAC key: wrong key or altered on the way',
  cipher: 'it is no whole number of blocks',
  text: 'it does not decrypt: wrong key',
  digest: 'its digest is wrong',
  fields: 'it has too few or too many fields',
  'user-field': 'its user name is not usable',
  'time-field': 'its time is not usable',
  'version-field': 'its version is not usable',
  'type-field': 'its type is not usable',
  'message-field': 'its request is not usable',
  'nat-field': 'its NAT field is not usable',
  'auth-field': 'its server-auth field is not usable',
  'timeout-field': 'its timeout is not usable',
  source: 'no stanza is for its source and destination',
  expired: 'the stanza has expired',
  age: 'its time is too far from ours: compare the clocks',
  command: 'it asks for a command to be run',
  nat: 'it asks for address translation',
  address: 'its address is not usable',
  'address-required': 'the stanza wants the address inside the packet',
  username: 'the stanza is for another user name',
  ports: 'the stanza’s OPEN_PORTS do not have what it asks for',
  restricted: 'the stanza’s RESTRICT_PORTS have what it asks for',
  unguarded: 'nothing is guarded at the port that it asks for',
} as const satisfies Record<FwknopWhy, string>

export const REASONS = {
  length: 'its length is outside 86–256 bytes',
  tag: 'its tag is of no user in the accepted window',
  seal: 'its seal does not open: wrong key or altered on the way',
  version: 'it is of an unknown version',
  operation: 'it asks for an unknown operation',
  flags: 'it has unknown or contradicting flags',
  reserved: 'a reserved byte is not zero',
  pad: 'its padding is not zero',
  address: 'the address field is not usable',
  user: 'the user inside differs from the user of the tag',
  slot: 'its time is not in the slot of its tag',
  window: 'its time is too far from ours: compare the clocks',
  instant: 'it was for the kernel alone',
  shape: 'it is no whole UDP datagram',
  malformed: 'its time or identity is out of all bounds',
  replayed: 'it was seen before',
  floor: 'it is older than what this server can still tell from a replay',
  untrusted: 'the replay journal cannot be trusted for its time yet',
  horizon: 'its time is above the written horizon: the disk may be full',
  unheard: 'it was made before this server began to hear',
  full: 'the replay window is full',
  journal: 'the replay journal cannot be written',
  resource: 'there is no such resource',
  'not-allowed': 'this user may not open this resource',
  'address-required': 'the resource wants the address inside the knock',
  'address-refused': 'the resource takes no address inside the knock',
  overrun: 'the kernel had no room for it: it came faster than it was read',
  busy: 'the monitor does not keep up',
  magic: 'letmein: it is no message',
  'unknown-user': 'letmein: there is no such user',
  auth: 'letmein: wrong key',
  salt: 'letmein: it was seen before',
  salts: 'letmein: its salt cannot be written down',
  port: 'letmein: its port has a challenge already',
  'control-port': 'letmein: the resource is the control port',
  response: 'letmein: a response to nothing that was asked',
  order: 'letmein: what only a server says',
  'old-key': 'its key was changed, and the time for the old one is over: postern add takes the new line',
  ...fwknopReasons(),
  'user-expired': 'the user’s time is over ([USERS] until)',
  'user-hours': 'it is outside the user’s hours ([USERS] hours)',
  'user-network': 'the user may not open for this address ([USERS] from)',
} as const

function fwknopReasons(): { readonly [why in FwknopWhy as `fwknop-${why}`]: string } {
  const named = Object.entries(FWKNOP).map(([why, words]) => [`fwknop-${why}`, `fwknop: ${words}`])
  return Object.fromEntries(named)
}

export type Reason = keyof typeof REASONS
export const REASON_LIST = Object.keys(REASONS) as readonly Reason[]

/** How often each reason was met. */
export class Counters {
  readonly #counts = new Float64Array(REASON_LIST.length)

  count(reason: Reason): void {
    const index = REASON_LIST.indexOf(reason)
    this.#counts[index]! += 1
  }

  /** [index in REASON_LIST, count] of those met at least once. */
  entries(): [number, number][] {
    const entries: [number, number][] = []
    for (const [index, count] of this.#counts.entries()) if (count > 0) entries.push([index, count])
    return entries
  }
}
