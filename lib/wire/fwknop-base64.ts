/**
 * fwknop's base64: the standard alphabet without `=` at the end, and a reader as forgiving as its own. Specification:
 * docs/PROTOCOL.md, "fwknop". One byte is one character of the text (Latin-1). Pure.
 */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const PAD = 0x3d
const NO_VALUE = 0xff
const VALUES = new Uint8Array(256).fill(NO_VALUE)
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i

/** The text of these bytes, without `=`. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 6; bits -= 6) text += ALPHABET[(held >> (bits - 6)) & 0x3f]
  }
  return bits === 0 ? text : text + ALPHABET[(held << (6 - bits)) & 0x3f]
}

/**
 * The bytes of a text, or undefined where a character ahead of the first `=` is none of the alphabet. What follows `=` is not
 * read, bits that fill no byte are dropped: several texts mean the same bytes.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array((text.length * 6) >> 3)
  let length = 0
  let held = 0
  let bits = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === PAD) break
    const value = code < 256 ? VALUES[code]! : NO_VALUE
    if (value === NO_VALUE) return undefined
    held = ((held << 6) | value) & 0x3fff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[length++] = (held >> bits) & 0xff
    }
  }
  return bytes.subarray(0, length)
}

/** True for the alphabet and `=`. */
export function isBase64Byte(byte: number): boolean {
  return byte === PAD || VALUES[byte] !== NO_VALUE
}

/** The bytes as characters. */
export function latin1Of(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** The characters as bytes. Throws RangeError where a character has no byte. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0xff) throw new RangeError(`character ${JSON.stringify(text[i])}: expected one of Latin-1`)
    bytes[i] = code
  }
  return bytes
}
