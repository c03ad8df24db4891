/**
 * IP addresses: text, bytes and back, in one canonical form (RFC 4291, RFC 5952; IPv4-mapped IPv6 is IPv4). The one place
 * that formats addresses. Pure.
 */

/** Canonical text: dotted IPv4, or RFC 5952 IPv6 without zone. Never an IPv4-mapped form. */
export type IpAddress = string

export type Family = 4 | 6

/** 4 or 6, told by the canonical text's form. */
export function familyOf(address: IpAddress): Family {
  return address.includes(':') ? 6 : 4
}

/** The canonical address that 4 (IPv4) or 16 (IPv6 or IPv4-mapped) bytes mean. Throws RangeError at any other length. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw new RangeError(`address of ${bytes.length} bytes: expected 4 or 16`)
  if (isMapped(bytes)) return bytes.subarray(12).join('.')
  return formatSixteen(bytes)
}

/** The address as 16 bytes; IPv4 becomes IPv4-mapped (::ffff:a.b.c.d). Throws RangeError where the text is no address. */
export function addressToBytes16(address: string): Uint8Array {
  const bytes = parseAddress(address)
  if (bytes === undefined) throw new RangeError(`address ${JSON.stringify(address)}: expected IPv4 or IPv6 text`)
  if (bytes.length === 16) return bytes
  const mapped = new Uint8Array(16)
  mapped[10] = mapped[11] = 0xff
  mapped.set(bytes, 12)
  return mapped
}

/** The address as the kernel's set key: 4 bytes (IPv4) or 16 (IPv6). Throws RangeError where the text is no address. */
export function addressToKey(address: IpAddress): Uint8Array {
  const bytes = addressToBytes16(address)
  return isMapped(bytes) ? bytes.subarray(12) : bytes
}

/** Any spelling of an address in canonical form, or undefined where it is none (zones and prefixes are none). */
export function canonicalAddress(text: string): IpAddress | undefined {
  const bytes = parseAddress(text)
  return bytes && addressFromBytes(bytes)
}

/** Four or sixteen bytes of any valid spelling, or undefined. Octets with leading zeros are refused: they mean two things. */
function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseSix(text) : parseFour(text)
}

function parseFour(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const bytes = new Uint8Array(4)
  for (let i = 0; i < 4; i++) {
    const part = parts[i]!
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined
    bytes[i] = Number(part)
  }
  return bytes
}

function parseSix(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? groupsOf(halves[1]!, true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  const bytes = new Uint8Array(16)
  groups.forEach((group, i) => {
    bytes[2 * i] = group >> 8
    bytes[2 * i + 1] = group & 0xff
  })
  return bytes
}

/** The 16-bit groups between colons; only the address's last part may be dotted IPv4. */
function groupsOf(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else {
      const four = isLast && i === parts.length - 1 ? parseFour(part) : undefined
      if (four === undefined) return undefined
      groups.push((four[0]! << 8) | four[1]!, (four[2]! << 8) | four[3]!)
    }
  }
  return groups
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false
  return bytes[10] === 0xff && bytes[11] === 0xff
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as `::`. */
function formatSixteen(bytes: Uint8Array): string {
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!)
  let best = { start: 0, length: 0 }
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && groups[i + length] === 0) length++
    if (length > best.length) best = { start: i, length }
    i += length
  }
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  if (best.length < 2) return text(0, 8)
  return `${text(0, best.start)}::${text(best.start + best.length, 8)}`
}
