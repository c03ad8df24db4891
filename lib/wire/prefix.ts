/** Addresses as bytes, by their first bits. Pure. */

/** So many bytes, the first `bits` bits of which are 1. */
export function leadingBits(length: number, bits: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 0xff00 >> Math.max(0, Math.min(8, bits - 8 * i)))
}

/** The same bytes with zeros behind the first `bits` bits. */
export function maskedTo(bytes: Uint8Array, bits: number): Uint8Array {
  const mask = leadingBits(bytes.length, bits)
  return bytes.map((byte, i) => byte & mask[i]!)
}

/** Whether the first `bits` bits are the same; neither is shorter. */
export function beginAlike(one: Uint8Array, other: Uint8Array, bits: number): boolean {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (one[i] !== other[i]) return false
  const rest = bits & 7
  return rest === 0 || (one[whole]! ^ other[whole]!) >> (8 - rest) === 0
}
