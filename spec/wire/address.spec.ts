import { isIP } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import { addressFromBytes, addressToBytes16, addressToKey, canonicalAddress, familyOf } from '../../lib/wire/address.js'
import { bytes } from '../support/spa.js'

/** RFC 5952 as WHATWG URL writes it, which knows no dotted form: IPv4-mapped addresses are turned to IPv4 here. */
function canonicalByUrl(text: string): string {
  if (isIP(text) === 4) return text
  const six = new URL(`http://[${text}]/`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(six)
  if (mapped === null) return six
  const [high, low] = [mapped[1]!, mapped[2]!].map((group) => Number.parseInt(group, 16)) as [number, number]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** Text that is an address, or nearly one. */
const nearAddresses = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4().map((four) => `::ffff:${four}`),
  fc.ipV4().map((four) => `64:ff9b::${four}`),
  fc
    .array(fc.constantFrom('0', '00', '01', '255', '256', 'ffff', 'fffff', 'F', '.', ':', '::', '1.2.3.4', '-', ' '), {
      maxLength: 16,
    })
    .map((parts) => parts.join('')),
  fc.array(fc.constantFrom('0', '0', '1', 'ff', ''), { minLength: 6, maxLength: 9 }).map((groups) => groups.join(':')),
  fc.string(),
)

describe('addresses', () => {
  for (const [text, canonical] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['::192.0.2.7', '::c000:207'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ] as const)
    it(`${text} is ${canonical}`, () => {
      expect(canonicalAddress(text)).to.equal(canonical)
    })

  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.4/32',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '::1:2:3:4:5:6:7:8',
    'fe80::1%eth0',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '12345::',
    '[::1]',
    ' ::1',
  ])
    it(`${JSON.stringify(text)} is none`, () => {
      expect(canonicalAddress(text)).to.equal(undefined)
      expect(() => addressToBytes16(text)).to.throw(RangeError, 'expected IPv4 or IPv6 text')
    })

  it('are what another parser takes for addresses, in the form another one writes', () => {
    fc.assert(
      fc.property(nearAddresses, (text) => {
        const isAddress = isIP(text) !== 0 && !text.includes('%')
        expect(canonicalAddress(text)).to.equal(isAddress ? canonicalByUrl(text) : undefined)
      }),
      { numRuns: 2000 },
    )
  })

  it('come back from their bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes(4),
          bytes(16),
          bytes(4).map((four) => Uint8Array.of(...addressToBytes16('::ffff:0.0.0.0').subarray(0, 12), ...four)),
        ),
        (raw) => {
          const text = addressFromBytes(raw)
          expect(canonicalAddress(text)).to.equal(text)
          expect(addressToBytes16(text).subarray(16 - raw.length)).to.deep.equal(raw)
          expect(addressToKey(text)).to.have.length(familyOf(text) === 4 ? 4 : 16)
          expect(addressFromBytes(addressToKey(text))).to.equal(text)
        },
      ),
    )
  })

  it('have 4 or 16 bytes and nothing else', () => {
    for (const length of [0, 3, 5, 15, 17]) expect(() => addressFromBytes(new Uint8Array(length))).to.throw(RangeError)
  })
})
