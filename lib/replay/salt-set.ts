/**
 * The salts of one user: a ring in the order in which they came, 8 bytes each, and a hash index of places in it, 8 to 16
 * bytes each, both typed arrays. Look-up, noting and dropping the oldest are O(1); growing copies all of it (a million:
 * some 50 ms, once for as many knocks). Pure.
 */
export const LEAST_PLACES = 16

export interface Salt {
  /** Bytes 0–3 and 4–7, as u32. */
  readonly high: number
  readonly low: number
}

/** Bytes of memory that a set with so many places takes. */
export function setBytes(places: number): number {
  return places * 8 + indexPlaces(places) * 4
}

export class SaltSet {
  /** Unknown to whoever chooses salts, so that no choice of them makes look-ups slow. */
  readonly #seed: number
  #ring: Uint32Array
  /** Place in the ring + 1; 0: free. Linear probing, at most half full. */
  #index: Uint32Array
  #places: number
  #dropped = 0
  #noted = 0

  constructor(seed: number, places = LEAST_PLACES) {
    this.#seed = seed
    this.#places = places
    this.#ring = new Uint32Array(places * 2)
    this.#index = new Uint32Array(indexPlaces(places))
  }

  get places(): number {
    return this.#places
  }

  get size(): number {
    return this.#noted - this.#dropped
  }

  get isFull(): boolean {
    return this.size === this.#places
  }

  /** The numbers of the oldest salt that is still here, and of the next to be noted. They only ever grow. */
  get first(): number {
    return this.#dropped
  }

  get next(): number {
    return this.#noted
  }

  /** The salt with this number, from `first` to before `next`. */
  at(number: number): Salt {
    const place = number % this.#places
    return { high: this.#ring[place * 2]!, low: this.#ring[place * 2 + 1]! }
  }

  has(high: number, low: number): boolean {
    return this.#index[this.#find(high, low)] !== 0
  }

  /** Notes a salt that is not here yet. Where there is no place free, the oldest goes. */
  note(high: number, low: number): void {
    if (this.isFull) this.#drop()
    const place = this.#noted % this.#places
    this.#ring[place * 2] = high
    this.#ring[place * 2 + 1] = low
    this.#index[this.#find(high, low)] = place + 1
    this.#noted++
  }

  /** Makes room for more. */
  grow(places: number): void {
    const ring = new Uint32Array(places * 2)
    for (let number = this.#dropped; number < this.#noted; number++) {
      const { high, low } = this.at(number)
      ring[(number % places) * 2] = high
      ring[(number % places) * 2 + 1] = low
    }
    this.#ring = ring
    this.#places = places
    this.#index = new Uint32Array(indexPlaces(places))
    for (let number = this.#dropped; number < this.#noted; number++) {
      const place = number % places
      this.#index[this.#find(ring[place * 2]!, ring[place * 2 + 1]!)] = place + 1
    }
  }

  /** Where in the index it is, or else the free place where it would go. */
  #find(high: number, low: number): number {
    const mask = this.#index.length - 1
    for (let i = this.#hash(high, low) & mask; ; i = (i + 1) & mask) {
      const found = this.#index[i]!
      if (found === 0 || (this.#ring[found * 2 - 2] === high && this.#ring[found * 2 - 1] === low)) return i
    }
  }

  /** Frees the oldest's place, and moves up what had to go further for its sake. */
  #drop(): void {
    const { high, low } = this.at(this.#dropped)
    const mask = this.#index.length - 1
    let free = this.#find(high, low)
    for (let i = (free + 1) & mask; this.#index[i] !== 0; i = (i + 1) & mask) {
      const place = this.#index[i]! - 1
      const home = this.#hash(this.#ring[place * 2]!, this.#ring[place * 2 + 1]!) & mask
      if (((i - home) & mask) < ((i - free) & mask)) continue
      this.#index[free] = place + 1
      free = i
    }
    this.#index[free] = 0
    this.#dropped++
  }

  #hash(high: number, low: number): number {
    let mixed = Math.imul(high ^ this.#seed, 0x85ebca6b)
    mixed = Math.imul((mixed ^ (mixed >>> 15)) + low, 0xc2b2ae35)
    mixed = Math.imul(mixed ^ (mixed >>> 13) ^ this.#seed, 0x27d4eb2f)
    return (mixed ^ (mixed >>> 16)) >>> 0
  }
}

/** A power of two, at least twice the places. */
function indexPlaces(places: number): number {
  return 2 ** Math.ceil(Math.log2(places * 2))
}
