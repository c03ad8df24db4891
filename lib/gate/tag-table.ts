/**
 * The tags of every user for one slot: an open-addressing hash table in one typed array. Tags are uniformly random, so their
 * own bytes are the hash, and a sender who tries tags cannot make a look-up slow. (Measured for 100,000 users, 400,000 tags a
 * slot: 12 MB, against 23–52 MB and four times the building time of a Map keyed by bigint, all of it the collector's to walk.)
 */
import { TAG_BYTES, TAGS_PER_SLOT } from '../wire/spa-keys.js'

/** Each place: the tag's two halves and the holder's number + 1; 0 there says that the place is free. */
const WORDS = 3

export class TagTable {
  readonly slot: number
  readonly #places: Uint32Array
  readonly #mask: number

  /** Room for the four tags of each holder, at most three quarters full. */
  constructor(slot: number, holders: number) {
    this.slot = slot
    let size = 16
    while (size * 3 < holders * TAGS_PER_SLOT * 4) size *= 2
    this.#places = new Uint32Array(size * WORDS)
    this.#mask = size - 1
  }

  /** Puts a holder's tags (a multiple of 8 bytes) in. A tag that is there already stays its first holder's. */
  add(tags: Uint8Array, holder: number): void {
    for (let offset = 0; offset < tags.length; offset += TAG_BYTES) {
      const place = this.#placeOf(tags, offset)
      if (this.#places[place + 2] !== 0) continue
      this.#places[place] = word(tags, offset)
      this.#places[place + 1] = word(tags, offset + 4)
      this.#places[place + 2] = holder + 1
    }
  }

  /** The holder of the tag in bytes 0–7, or undefined. */
  holderOf(bytes: Uint8Array): number | undefined {
    const found = this.#places[this.#placeOf(bytes, 0) + 2]!
    return found === 0 ? undefined : found - 1
  }

  /** Where the tag is, or else the free place where it would go. */
  #placeOf(bytes: Uint8Array, offset: number): number {
    const high = word(bytes, offset)
    const low = word(bytes, offset + 4)
    for (let i = low & this.#mask; ; i = (i + 1) & this.#mask) {
      const place = i * WORDS
      if (this.#places[place + 2] === 0) return place
      if (this.#places[place] === high && this.#places[place + 1] === low) return place
    }
  }
}

function word(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0
}
