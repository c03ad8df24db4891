/** One to four small changes to bytes: flipped, replaced, taken out, put in, said twice, cut off, or all of them others. */
import type { Random } from './random.js'

/** `alphabet`: what new bytes are mostly made of. */
export function mutate(bytes: Uint8Array, random: Random, alphabet: Uint8Array): Uint8Array {
  let mutated = bytes
  for (let count = 1 + random.below(4); count > 0; count--) mutated = changed(mutated, random, alphabet)
  return mutated
}

function changed(bytes: Uint8Array, random: Random, alphabet: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1)
  const length = 1 + random.below(random.below(8) === 0 ? 600 : 4)
  const fresh = () =>
    random.below(8) === 0 ? random.bytes(length) : Uint8Array.from({ length }, () => random.of(alphabet))
  switch (random.below(8)) {
    case 0:
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << random.below(8)) : byte))
    case 1:
    case 2:
      return joined(bytes.subarray(0, at), fresh().subarray(0, bytes.length - at), bytes.subarray(at + length))
    case 3:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length))
    case 4:
      return joined(bytes.subarray(0, at), fresh(), bytes.subarray(at))
    case 5:
      return joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - length)))
    case 6:
      return bytes.subarray(0, at)
    default:
      return joined(bytes, fresh())
  }
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
