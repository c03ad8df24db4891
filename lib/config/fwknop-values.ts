/**
 * What values in fwknop's files mean: addresses, ports, names of algorithms, times. Stricter than fwknop where it takes
 * something for other than it looks (`tcp/1-9` for `tcp/1`). Pure; never throws.
 */
import type { Prefix } from '../gate/fwknop-stanza.js'
import { addressFromBytes, addressToKey, canonicalAddress, familyOf } from '../wire/address.js'
import type { FwknopDigest, FwknopMode, FwknopPort } from '../wire/fwknop-types.js'
import { maskedTo } from '../wire/prefix.js'
import { type Form, misfit, oneOf } from './values.js'

export const fwknopDigest: Form<FwknopDigest> = oneOf(
  'md5',
  'sha1',
  'sha256',
  'sha384',
  'sha512',
  'sha3_256',
  'sha3_512',
)

const MODES = ['cbc', 'ecb', 'cfb', 'ofb', 'ctr', 'legacy'] as const
const mode = oneOf(...MODES)

export const fwknopMode: Form<FwknopMode> = (text) =>
  /^asymmetric$/i.test(text) ? misfit(text, `${MODES.join(', ')}: GnuPG is not spoken here`) : mode(text)

/** fwknop takes whatever does not begin with y for no: here it must look like one of both. */
export const fwknopSwitch: Form<boolean> = (text) =>
  /^(y|yes|n|no)$/i.test(text) ? { value: /^y/i.test(text) } : misfit(text, 'Y or N')

/** Decimal digits alone, within these bounds. */
export function decimal(least: number, most: number): Form<number> {
  return (text) =>
    /^[0-9]{1,12}$/.test(text) && Number(text) >= least && Number(text) <= most
      ? { value: Number(text) }
      : misfit(text, `a number, ${least}–${most}`)
}

/** `ANY` (undefined), or IPv4 addresses and networks between commas. A list that has ANY in it is ANY. */
export const fwknopNetworks: Form<readonly Prefix[] | undefined> = (text) => {
  const prefixes: Prefix[] = []
  const items = text.split(',').map((item) => item.replace(/^[\t ]+|[\t ]+$/g, ''))
  for (const item of items) {
    if (/^any$/i.test(item)) continue
    const reading = network(item)
    if ('misfit' in reading) return reading
    prefixes.push(reading.value)
  }
  return { value: items.some((item) => /^any$/i.test(item)) ? undefined : prefixes }
}

const network: Form<Prefix> = (text) => {
  const [host = '', mask, more] = text.split('/')
  const address = canonicalAddress(host)
  const expected = 'ANY, or IPv4 addresses and networks by commas, as 192.0.2.0/24 (ANY has IPv6 in it)'
  if (address === undefined || familyOf(address) === 6 || host.includes(':') || more !== undefined)
    return misfit(text, expected)
  const length = mask === undefined ? 32 : lengthOf(mask)
  if (length === undefined || length < 1) return misfit(text, 'a prefix length of 1–32, or a mask as 255.255.255.0')
  return { value: { address: addressFromBytes(maskedTo(addressToKey(address), length)), length } }
}

/** The prefix length that `24` or `255.255.255.0` means. */
function lengthOf(mask: string): number | undefined {
  if (/^[0-9]{1,2}$/.test(mask)) return Number(mask) <= 32 ? Number(mask) : undefined
  const address = canonicalAddress(mask)
  if (address === undefined || mask.includes(':')) return undefined
  const bits = [...addressToKey(address)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined
}

/** `tcp/22, udp/53`. Each once: doubles are for the caller to tell. */
export const fwknopPorts: Form<readonly FwknopPort[]> = (text) => {
  const ports: FwknopPort[] = []
  for (const item of text.split(',').map((one) => one.replace(/^[\t ]+|[\t ]+$/g, ''))) {
    const [, protocol, port] = /^(tcp|udp)\/([0-9]{1,5})$/i.exec(item) ?? []
    if (port === undefined || Number(port) < 1 || Number(port) > 65_535)
      return misfit(item, 'tcp/PORT or udp/PORT by commas, 1–65535, no ranges')
    ports.push({ protocol: protocol!.toLowerCase() as FwknopPort['protocol'], port: Number(port) })
  }
  return { value: ports }
}

/** `MM/DD/YYYY`: the day's first moment where this host is. Unix ms. */
export const fwknopDate: Form<number> = (text) => {
  const [, month, day, year] = /^([0-9]{1,2})\/([0-9]{1,2})\/([0-9]{4})$/.exec(text) ?? []
  const date = new Date(Number(year), Number(month) - 1, Number(day))
  const isReal = date.getMonth() === Number(month) - 1 && date.getDate() === Number(day) && Number(year) >= 1970
  return isReal ? { value: date.getTime() } : misfit(text, 'MM/DD/YYYY, a day that there is')
}
