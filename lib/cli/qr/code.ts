/**
 * A text as a QR code (ISO/IEC 18004): byte mode, error correction level L, versions 1–20. Pure. The drawing of a code on a
 * terminal is in drawing.ts.
 */
import { correction } from './correction.js'

/** Of level L, by version: bytes of error correction in a block, and the number of blocks. */
const BLOCK_CORRECTION = [0, 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28]
const BLOCKS = [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8]
const LAST_VERSION = BLOCKS.length - 1
const BYTE_MODE = 0b0100

/** The most bytes that a code of ours holds. */
export const MOST_QR_BYTES = capacity(LAST_VERSION)

/** Rows of modules, true is dark; without the quiet zone. `mask` 0–7: that one; else the best. Throws RangeError where the text is too long. */
export function qrCode(text: string, mask?: number): boolean[][] {
  const bytes = new TextEncoder().encode(text)
  let version = 1
  while (version <= LAST_VERSION && capacity(version) < bytes.length) version++
  if (version > LAST_VERSION)
    throw new RangeError(`${bytes.length} bytes: expected at most ${MOST_QR_BYTES} in a QR code`)
  const words = interleaved(dataWords(bytes, version), version)
  const drawn = (candidate: number) => draw(words, version, candidate)
  if (mask !== undefined) return drawn(mask)
  return [0, 1, 2, 3, 4, 5, 6, 7].map(drawn).reduce((best, next) => (penalty(next) < penalty(best) ? next : best))
}

/** Modules that are free for data and correction. */
function rawModules(version: number): number {
  const align = version >= 2 ? Math.floor(version / 7) + 2 : 0
  const alignments = version >= 2 ? (25 * align - 10) * align - 55 : 0
  return (16 * version + 128) * version + 64 - alignments - (version >= 7 ? 36 : 0)
}

function dataCapacity(version: number): number {
  return Math.floor(rawModules(version) / 8) - BLOCK_CORRECTION[version]! * BLOCKS[version]!
}

function capacity(version: number): number {
  return dataCapacity(version) - (version < 10 ? 2 : 3)
}

/** Mode, count, the bytes, an end, and filling up. */
function dataWords(bytes: Uint8Array, version: number): Uint8Array {
  const bits: number[] = []
  const put = (value: number, count: number) => {
    for (let i = count - 1; i >= 0; i--) bits.push((value >>> i) & 1)
  }
  put(BYTE_MODE, 4)
  put(bytes.length, version < 10 ? 8 : 16)
  for (const byte of bytes) put(byte, 8)
  const room = dataCapacity(version) * 8
  put(0, Math.min(4, room - bits.length))
  put(0, (8 - (bits.length % 8)) % 8)
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) put(pad, 8)
  return Uint8Array.from({ length: room / 8 }, (_, i) => bits.slice(8 * i, 8 * i + 8).reduce((a, b) => 2 * a + b))
}

/** Blocks with their correction, byte by byte in turn. The later blocks may be one byte longer. */
function interleaved(data: Uint8Array, version: number): number[] {
  const count = BLOCKS[version]!
  const total = Math.floor(rawModules(version) / 8)
  const shortBlocks = count - (total % count)
  const length = Math.floor(total / count) - BLOCK_CORRECTION[version]!
  let at = 0
  const blocks = Array.from({ length: count }, (_, i) => {
    const block = data.subarray(at, at + length + (i < shortBlocks ? 0 : 1))
    at += block.length
    return { block, check: correction(block, BLOCK_CORRECTION[version]!) }
  })
  const words: number[] = []
  for (let i = 0; i <= length; i++) for (const { block } of blocks) if (i < block.length) words.push(block[i]!)
  for (let i = 0; i < BLOCK_CORRECTION[version]!; i++) for (const { check } of blocks) words.push(check[i]!)
  return words
}

const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

function draw(words: readonly number[], version: number, mask: number): boolean[][] {
  const size = 17 + 4 * version
  const code = Array.from({ length: size }, () => new Array<boolean>(size).fill(false))
  const fixed = Array.from({ length: size }, () => new Array<boolean>(size).fill(false))
  const set = (x: number, y: number, dark: boolean) => {
    if (x < 0 || y < 0 || x >= size || y >= size) return
    code[y]![x] = dark
    fixed[y]![x] = true
  }
  for (let i = 0; i < size; i++) {
    set(6, i, i % 2 === 0)
    set(i, 6, i % 2 === 0)
  }
  const square = (x: number, y: number, radius: number, isDark: (distance: number) => boolean) => {
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++) set(x + dx, y + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))))
  }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const)
    square(x, y, 4, (distance) => distance !== 2 && distance !== 4)
  const centres = alignmentCentres(version, size)
  const last = centres.length - 1
  centres.forEach((x, i) => {
    centres.forEach((y, j) => {
      const isFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)
      if (!isFinder) square(x, y, 2, (distance) => distance !== 1)
    })
  })
  drawFormat(mask, size, set)
  drawVersion(version, size, set)

  // Two columns at a time from the right, up and down in turn; the column of the timing pattern is left out.
  let bit = 0
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5
    for (let step = 0; step < size; step++)
      for (const x of [right, right - 1]) {
        const y = ((right + 1) & 2) === 0 ? size - 1 - step : step
        if (fixed[y]![x]) continue
        const word = words[bit >>> 3] ?? 0
        code[y]![x] = (((word >>> (7 - (bit & 7))) & 1) === 1) !== MASKS[mask]!(x, y)
        bit++
      }
  }
  return code
}

function alignmentCentres(version: number, size: number): number[] {
  if (version === 1) return []
  const count = Math.floor(version / 7) + 2
  const step = Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2
  return [6, ...Array.from({ length: count - 1 }, (_, i) => size - 7 - (count - 2 - i) * step)]
}

type SetModule = (x: number, y: number, dark: boolean) => void

function drawFormat(mask: number, size: number, set: SetModule): void {
  const level = 0b01 // L
  const data = (level << 3) | mask
  const bits = ((data << 10) | remainder(data, 10, 0x537)) ^ 0x5412
  const dark = (i: number) => ((bits >>> i) & 1) === 1
  for (let i = 0; i <= 5; i++) set(8, i, dark(i))
  set(8, 7, dark(6))
  set(8, 8, dark(7))
  set(7, 8, dark(8))
  for (let i = 9; i < 15; i++) set(14 - i, 8, dark(i))
  for (let i = 0; i < 8; i++) set(size - 1 - i, 8, dark(i))
  for (let i = 8; i < 15; i++) set(8, size - 15 + i, dark(i))
  set(8, size - 8, true)
}

function drawVersion(version: number, size: number, set: SetModule): void {
  if (version < 7) return
  const bits = (version << 12) | remainder(version, 12, 0x1f25)
  for (let i = 0; i < 18; i++) {
    const dark = ((bits >>> i) & 1) === 1
    const [long, short] = [size - 11 + (i % 3), Math.floor(i / 3)]
    set(long, short, dark)
    set(short, long, dark)
  }
}

/** Of the data, `bits` to the left, by a polynomial over two elements. */
function remainder(data: number, bits: number, polynomial: number): number {
  let rest = data
  for (let i = 0; i < bits; i++) rest = (rest << 1) ^ ((rest >>> (bits - 1)) * polynomial)
  return rest
}

/** How hard a code is to read: runs, blocks, what looks like a corner, and how far from half of it is dark. */
function penalty(code: readonly (readonly boolean[])[]): number {
  const size = code.length
  const columns = code.map((_, x) => code.map((row) => row[x]!))
  let sum = 0
  for (const line of [...code, ...columns]) {
    const text = line.map((dark) => (dark ? '1' : '0')).join('')
    for (const [run] of text.matchAll(/0{5,}|1{5,}/g)) sum += run.length - 2
    for (const corner of ['00001011101', '10111010000'])
      for (let at = text.indexOf(corner); at >= 0; at = text.indexOf(corner, at + 1)) sum += 40
  }
  for (let y = 0; y < size - 1; y++)
    for (let x = 0; x < size - 1; x++) {
      const dark = code[y]![x]
      if (dark === code[y]![x + 1] && dark === code[y + 1]![x] && dark === code[y + 1]![x + 1]) sum += 3
    }
  const share = code.flat().filter(Boolean).length / (size * size)
  return sum + 10 * Math.max(0, Math.ceil(Math.abs(share * 20 - 10)) - 1)
}
