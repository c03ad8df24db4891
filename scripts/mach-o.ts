/**
 * The signature of a program for macOS, which kills one whose pages are not what its signature says. Bun signs what it makes
 * for Apple's own processors; what it makes for Intel's keeps the signature of the Bun that it was made of, which fits no more.
 * Formats: Apple's <mach-o/loader.h> and <kern/cs_blobs.h>. Pure.
 */
import { createHash } from 'node:crypto'

const MACH_O_64 = 0xfeedfacf
const HEADER_BYTES = 32
const SEGMENT_64 = 0x19
const CODE_SIGNATURE = 0x1d

const SUPERBLOB = 0xfade0cc0
const CODE_DIRECTORY = 0xfade0c02
const DIRECTORY_HEADER_BYTES = 88
const DIRECTORY_VERSION = 0x20400
const AD_HOC = 0x2
const SHA_256 = 2
const HASH_BYTES = 32
const MAIN_PROGRAM = 1n
const PAGE_SHIFT = 12
const VM_PAGE_BYTES = 0x4000

/** Where the load commands are that a signature has to do with, and what they say. */
interface Layout {
  /** Of LC_CODE_SIGNATURE. */
  readonly command: number
  readonly at: number
  readonly bytes: number
  /** Of the segment that the signature ends. */
  readonly linkEdit: number
  readonly textBytes: bigint
}

/** Whether each page is what the signature says, and the signature speaks of all in front of it. Throws RangeError where this is no signed Mach-O program. */
export function isSignedAsItIs(program: Buffer): boolean {
  const { at } = layoutOf(program)
  const blobs = program.readUInt32BE(at + 8)
  for (let i = 0; i < blobs; i++) {
    const directory = at + program.readUInt32BE(at + 12 + 8 * i + 4)
    if (program.readUInt32BE(directory) !== CODE_DIRECTORY) continue
    if (program.readUInt32BE(directory + 32) !== at || program[directory + 37] !== SHA_256) return false
    const hashes = directory + program.readUInt32BE(directory + 16)
    const size = HASH_BYTES * program.readUInt32BE(directory + 28)
    return program.subarray(hashes, hashes + size).equals(pageHashes(program.subarray(0, at)))
  }
  return false
}

/** The program with a signature of nobody's (`codesign --sign -`), in the place of the one that it has. Throws RangeError as above. */
export function signedAdHoc(program: Buffer, name: string): Buffer {
  const { command, at, linkEdit, textBytes } = layoutOf(program)
  const identifier = Buffer.from(`${name}\0`)
  const pages = Math.ceil(at / (1 << PAGE_SHIFT))
  const hashesAt = DIRECTORY_HEADER_BYTES + identifier.length
  const directory = Buffer.alloc(hashesAt + HASH_BYTES * pages)
  const head = [
    CODE_DIRECTORY,
    directory.length,
    DIRECTORY_VERSION,
    AD_HOC,
    hashesAt,
    DIRECTORY_HEADER_BYTES,
    0,
    pages,
    at,
  ]
  for (const [i, word] of head.entries()) directory.writeUInt32BE(word, 4 * i)
  directory.set([HASH_BYTES, SHA_256, 0, PAGE_SHIFT], 36)
  directory.writeBigUInt64BE(textBytes, 72)
  directory.writeBigUInt64BE(MAIN_PROGRAM, 80)
  directory.set(identifier, DIRECTORY_HEADER_BYTES)

  const blobHead = Buffer.alloc(20)
  const length = blobHead.length + directory.length
  for (const [i, word] of [SUPERBLOB, length, 1, 0, blobHead.length].entries()) blobHead.writeUInt32BE(word, 4 * i)
  const room = Math.ceil(length / 16) * 16

  const code = Buffer.from(program.subarray(0, at))
  code.writeUInt32LE(room, command + 12)
  const fileBytes = at + room - Number(code.readBigUInt64LE(linkEdit + 40))
  code.writeBigUInt64LE(BigInt(fileBytes), linkEdit + 48)
  code.writeBigUInt64LE(BigInt(Math.ceil(fileBytes / VM_PAGE_BYTES) * VM_PAGE_BYTES), linkEdit + 32)
  pageHashes(code).copy(directory, hashesAt)
  return Buffer.concat([code, blobHead, directory, Buffer.alloc(room - length)])
}

function layoutOf(program: Buffer): Layout {
  if (program.length < HEADER_BYTES || program.readUInt32LE(0) !== MACH_O_64)
    throw new RangeError('no Mach-O program: expected one of 64 bits')
  let place = HEADER_BYTES
  let signature: Pick<Layout, 'command' | 'at' | 'bytes'> | undefined
  let linkEdit: number | undefined
  let textBytes = 0n
  for (let left = program.readUInt32LE(16); left > 0; left--) {
    const kind = program.readUInt32LE(place)
    if (kind === CODE_SIGNATURE)
      signature = { command: place, at: program.readUInt32LE(place + 8), bytes: program.readUInt32LE(place + 12) }
    if (kind === SEGMENT_64) {
      const segment = program.toString('latin1', place + 8, place + 24).replace(/\0+$/, '')
      if (segment === '__LINKEDIT') linkEdit = place
      if (segment === '__TEXT') textBytes = program.readBigUInt64LE(place + 48)
    }
    place += program.readUInt32LE(place + 4)
  }
  if (signature === undefined || linkEdit === undefined)
    throw new RangeError('a Mach-O program without a signature: expected LC_CODE_SIGNATURE and __LINKEDIT')
  if (signature.at + signature.bytes !== program.length)
    throw new RangeError(`a signature that ends at ${signature.at + signature.bytes}: expected ${program.length}`)
  return { ...signature, linkEdit, textBytes }
}

function pageHashes(code: Buffer): Buffer {
  const hashes: Buffer[] = []
  for (let from = 0; from < code.length; from += 1 << PAGE_SHIFT)
    hashes.push(
      createHash('sha256')
        .update(code.subarray(from, from + (1 << PAGE_SHIFT)))
        .digest(),
    )
  return Buffer.concat(hashes)
}
