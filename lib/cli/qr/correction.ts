/** Reed–Solomon error correction over GF(2^8) with the polynomial of QR codes, 0x11d. Pure. */

/** The `count` bytes that follow a block. */
export function correction(block: Uint8Array, count: number): Uint8Array {
  const divisor = generator(count)
  const rest = new Uint8Array(count)
  for (const byte of block) {
    const factor = byte ^ rest[0]!
    rest.copyWithin(0, 1)
    rest[count - 1] = 0
    for (let i = 0; i < count; i++) rest[i]! ^= multiply(divisor[i]!, factor)
  }
  return rest
}

/** (x − 2^0)(x − 2^1) … without the leading 1, highest power first. */
function generator(count: number): Uint8Array {
  const result = new Uint8Array(count)
  result[count - 1] = 1
  let root = 1
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      result[j] = multiply(result[j]!, root)
      if (j + 1 < count) result[j]! ^= result[j + 1]!
    }
    root = multiply(root, 2)
  }
  return result
}

function multiply(a: number, b: number): number {
  let product = 0
  for (let i = 7; i >= 0; i--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d)
    product ^= ((b >>> i) & 1) * a
  }
  return product
}
