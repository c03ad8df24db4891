/** Datagrams in a file: two bytes of length, big-endian, and the bytes. */

export function encodeRecords(datagrams: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    datagrams.flatMap((datagram) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(datagram.length)
      return [length, datagram]
    }),
  )
}

/** Inverse of encodeRecords. Throws RangeError where the last one is cut off. */
export function decodeRecords(bytes: Uint8Array): Buffer[] {
  const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const datagrams: Buffer[] = []
  for (let at = 0; at < from.length; ) {
    const end = at + 2 + from.readUInt16BE(at)
    if (end > from.length) throw new RangeError(`${from.length} bytes: expected ${end} or more`)
    datagrams.push(from.subarray(at + 2, end))
    at = end
  }
  return datagrams
}
