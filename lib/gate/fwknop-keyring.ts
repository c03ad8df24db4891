/**
 * Which keys a packet of fwknop's was made with. Stanzas often share keys: each HMAC, and each decryption, is done once for a packet,
 * however many stanzas have the key. Pure.
 */

import { decryptPacket, type FwknopPacket, hmacMatches, packetId } from '../wire/fwknop.js'
import { preparedMac } from '../wire/fwknop-digest.js'
import type { FwknopMessage, FwknopRefusal } from '../wire/fwknop-text.js'
import type { FwknopHmac, FwknopKeys } from '../wire/fwknop-types.js'

/** A message with what makes its packet itself, or why there is none. */
export type Opened = { readonly message: FwknopMessage; readonly id: Uint8Array } | FwknopRefusal

/** Keys as they are on the ring: equal ones have equal numbers. */
export interface RingKeys {
  readonly keys: FwknopKeys
  /** undefined: packets without an HMAC. */
  readonly mac: number | undefined
  readonly cipher: number
}

type Mac = { readonly hmac: FwknopHmac; readonly make: (bytes: Uint8Array) => string }

export class FwknopKeyring {
  readonly #macs: Mac[] = []
  readonly #macNumbers = new Map<string, number>()
  readonly #cipherNumbers = new Map<string, number>()

  /** Puts keys on the ring. */
  add(keys: FwknopKeys): RingKeys {
    const mac = keys.hmac === undefined ? undefined : this.#macNumber(keys.hmac)
    const name = `${keys.mode} ${mac} ${nameOf(keys.key)}`
    return { keys, mac, cipher: numberOf(this.#cipherNumbers, name) }
  }

  /** How many HMACs there are: the most that one packet can cost. */
  get macs(): number {
    return this.#macs.length
  }

  /** The ring held against one packet. */
  for(packet: FwknopPacket): PacketKeys {
    return new PacketKeys(packet, this.#macs)
  }

  #macNumber(hmac: FwknopHmac): number {
    const number = numberOf(this.#macNumbers, `${hmac.digest} ${nameOf(hmac.key)}`)
    this.#macs[number] ??= { hmac, make: preparedMac(hmac) }
    return number
  }
}

/** What is known of one packet so far. */
class PacketKeys {
  readonly #packet: FwknopPacket
  readonly #macs: readonly Mac[]
  readonly #matches = new Map<number, boolean>()
  readonly #opened = new Map<number, Opened>()

  constructor(packet: FwknopPacket, macs: readonly Mac[]) {
    this.#packet = packet
    this.#macs = macs
  }

  /** Whether the packet has this HMAC; never where the keys are for packets without. */
  isAuthentic({ mac }: RingKeys): boolean {
    if (mac === undefined) return false
    let matches = this.#matches.get(mac)
    if (matches === undefined) {
      const { hmac, make } = this.#macs[mac]!
      matches = hmacMatches(this.#packet, hmac, make)
      this.#matches.set(mac, matches)
    }
    return matches
  }

  /** What these keys decrypt. Asked only where the HMAC matches, or there is none. */
  open({ keys, cipher }: RingKeys): Opened {
    let opened = this.#opened.get(cipher)
    if (opened === undefined) {
      const { message, text } = decryptPacket(this.#packet, keys)
      opened = 'why' in message ? message : { message, id: packetId(text!) }
      this.#opened.set(cipher, opened)
    }
    return opened
  }
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const number = numbers.get(name) ?? numbers.size
  numbers.set(name, number)
  return number
}

/** For comparison alone; it stays in memory, as the key does. */
function nameOf(key: Uint8Array): string {
  return Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
