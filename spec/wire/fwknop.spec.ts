import { expect } from 'chai'
import fc from 'fast-check'
import {
  decryptPacket,
  hmacMatches,
  MAX_CHARS,
  openFwknop,
  randDigits,
  readPacket,
  sealFwknop,
} from '../../lib/wire/fwknop.js'
import { encodeBase64, latin1Bytes } from '../../lib/wire/fwknop-base64.js'
import { digestText, preparedMac } from '../../lib/wire/fwknop-digest.js'
import { decodeText, encodeText, type FwknopMessage, typeOf } from '../../lib/wire/fwknop-text.js'
import type { FwknopKeys } from '../../lib/wire/fwknop-types.js'
import { bytes, keys, messages } from './fwknop-message.js'

const SALT = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8])
const KEYS: FwknopKeys = {
  key: latin1Bytes('testkey'),
  mode: 'cbc',
  hmac: { key: latin1Bytes('hmackey'), digest: 'sha256' },
}
const { hmac: _, ...BARE } = KEYS
const MESSAGE: FwknopMessage = {
  rand: '1234567890123456',
  username: 'alice',
  timeSeconds: 1_790_000_000,
  version: '3.0.0',
  type: 1,
  message: '10.1.2.3,tcp/22',
  timeoutSeconds: 0,
  digest: 'sha256',
}
const why = (found: object) => ('why' in found ? found.why : 'opened')

describe("fwknop's text", () => {
  it('says what it was told, whatever the type', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeText(encodeText(message))).to.deep.equal(message)
      }),
    )
  })

  it('never throws at bytes or characters of any kind', () => {
    const almost = fc
      .array(fc.oneof(fc.constantFrom('YWxpY2U', '1790000000', '3.0.0', '1', '3', '60', ''), fc.string()))
      .map((fields) => ['1234567890123456', ...fields].join(':').replace(/[^\x20-\x7e]/g, '.'))
      .map((body) => latin1Bytes(`${body}:${digestText('md5', latin1Bytes(body))}`))
    fc.assert(
      fc.property(fc.oneof(bytes(0, 300), almost), (any) => void decodeText(any)),
      { numRuns: 2000 },
    )
  })

  const body = (fields: string) => `1234567890123456:YWxpY2U:1790000000:3.0.0:${fields}`
  const signed = (text: string) => latin1Bytes(`${text}:${digestText('sha256', latin1Bytes(text))}`)
  for (const [fields, expected] of [
    ['1:MTAuMS4yLjMsdGNwLzIy', 'opened'],
    ['1:MTAuMS4yLjMsdGNwLzIy:', 'opened'],
    ['1:MTAuMS4yLjMsdGNwLzIy:60', 'opened'],
    ['1:MTAuMS4yLjMsdGNwLzIy:60:60', 'fields'],
    ['1', 'fields'],
    ['7:MTAuMS4yLjMsdGNwLzIy', 'type-field'],
    ['1:', 'message-field'],
    ['1:MTAuMS4yLjMsdGNwLzAwMDAyMg', 'message-field'],
    ['2:MTAuMS4yLjMsdGNwLzIy', 'nat-field'],
    ['3:MTAuMS4yLjMsdGNwLzIy', 'timeout-field'],
    ['3:MTAuMS4yLjMsdGNwLzIy:65536', 'opened'],
    ['3:MTAuMS4yLjMsdGNwLzIy:65537', 'timeout-field'],
    ['1:MTAuMS4yLjMsdGNwLzIy:a-b', 'auth-field'],
  ] as const)
    it(`finds ${expected} in ${fields}`, () => {
      expect(why(decodeText(signed(body(fields))))).to.equal(expected)
    })

  it('refuses a digest of nothing here', () => {
    const text = signed(body('1:MTAuMS4yLjMsdGNwLzIy'))
    text[text.length - 2]! ^= 1
    expect(decodeText(text)).to.deep.equal({ why: 'digest' })
  })

  for (const [change, expected] of [
    [{ rand: '123' }, 'rand "123"'],
    [{ username: 'a:b' }, 'user name "a:b"'],
    [{ username: 'jörg' }, 'user name'],
    [{ username: 'u'.repeat(49) }, 'user name'],
    [{ timeSeconds: 2 ** 31 }, 'time 2147483648'],
    [{ timeSeconds: 1.5 }, 'time 1.5'],
    [{ version: '3:0' }, 'version'],
    [{ message: '10.1.2.3' }, 'message "10.1.2.3"'],
    [{ message: '10.1.2.3,none/0' }, 'message'],
    [{ message: '::1,tcp/22' }, 'message'],
    [{ type: 0, message: 'id' }, 'message "id"'],
    [{ type: 2 }, 'nat access'],
    [{ type: 3 }, 'time-out 0: expected 1–65536'],
    [{ timeoutSeconds: 60 }, 'time-out 60: expected 0 in type 1'],
    [{ natAccess: 'h,1' }, 'nat access'],
    [{ serverAuth: '' }, 'server auth'],
  ] as const)
    it(`is not made of ${JSON.stringify(change)}`, () => {
      expect(() => encodeText({ ...MESSAGE, ...(change as Partial<FwknopMessage>) })).to.throw(RangeError, expected)
    })

  it('has the type that its time-out and its NAT ask for', () => {
    const kinds = ['none', 'forwarded', 'local'] as const
    expect(kinds.map((nat) => [typeOf(nat, 0), typeOf(nat, 60)])).to.deep.equal([
      [1, 3],
      [2, 4],
      [5, 6],
    ])
  })
})

describe("fwknop's packet", () => {
  it('opens to what was sealed, with keys, modes and digests of every kind', () => {
    fc.assert(
      fc.property(messages, keys, bytes(8), (message, with_, salt) => {
        let packet: string
        try {
          packet = sealFwknop(message, with_, salt)
        } catch (error) {
          expect((error as Error).message).to.match(/^message of [0-9]+ characters/)
          return
        }
        expect(packet.length).to.be.at.most(MAX_CHARS)
        expect(openFwknop(latin1Bytes(packet), with_)).to.deep.equal(message)
      }),
      { numRuns: 500 },
    )
  })

  it('never throws at bytes of any kind', () => {
    fc.assert(
      fc.property(bytes(0, 600), fc.boolean(), keys, (any, isText, with_) => {
        const some = isText ? latin1Bytes(`+${encodeBase64(any)}`) : any
        expect(openFwknop(some, with_)).to.have.property('why')
      }),
      { numRuns: 1000 },
    )
  })

  const packet = sealFwknop(MESSAGE, KEYS, SALT)
  const bare = sealFwknop(MESSAGE, BARE, SALT)
  const opened = (text: string, with_: FwknopKeys = KEYS) => why(openFwknop(latin1Bytes(text), with_))
  const changed = (text: string, at: number) => {
    const place = at < 0 ? text.length + at : at
    return `${text.slice(0, place)}${text[place] === 'A' ? 'B' : 'A'}${text.slice(place + 1)}`
  }

  /** 128 bytes are 170 characters and 4 bits: the last character has two that mean nothing. */
  const respelt = (text: string) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    return `${text.slice(0, -1)}${alphabet[alphabet.indexOf(text.at(-1)!) ^ 1]}`
  }

  for (const [name, text, expected] of [
    ['the packet', packet, 'opened'],
    ['a changed cipher text', changed(packet, 60), 'hmac'],
    ['a changed HMAC', changed(packet, -2), 'hmac'],
    ["the HMAC's unused bits changed", changed(packet, -1), 'hmac'],
    ['a newline at its end', `${packet}\n`, 'alphabet'],
    ['a zero byte at its end', `${packet}\0`, 'alphabet'],
    ['= at its end', `${packet}=`, 'hmac'],
    ['its prefix kept', `U2FsdGVkX1${packet}`, 'prefix'],
    ['another first character', changed(packet, 0), 'prefix'],
    ['no HMAC', bare, 'hmac'],
    ['nothing', '', 'length'],
    ['35 characters', packet.slice(0, 35), 'length'],
    ['1500 characters', '+'.repeat(1500), 'length'],
  ] as const)
    it(`with ${name}: ${expected}`, () => {
      expect(opened(text)).to.equal(expected)
    })

  for (const [name, text, expected] of [
    ['as it is', bare, 'opened'],
    ['with ==== at its end', `${bare}====`, 'opened'],
    ['with its unused bits changed', respelt(bare), 'opened'],
    ['with one character more', `${bare}A`, 'cipher'],
    ['with an HMAC', packet, 'text'],
    ['with another salt', changed(bare, 5), 'text'],
    ['with 400 characters', '+'.padEnd(400, 'A'), 'length'],
  ] as const)
    it(`without HMAC, ${name}: ${expected}`, () => {
      expect(opened(text, BARE)).to.equal(expected)
    })

  it('decrypts to the same text however it is spelt', () => {
    const textOf = (text: string) => {
      const found = readPacket(latin1Bytes(text))
      return 'why' in found ? undefined : decryptPacket(found, BARE).text
    }
    expect(textOf(bare)).to.be.instanceOf(Uint8Array)
    for (const copy of [`${bare}=`, `${bare}=AAAA`, respelt(bare)]) expect(textOf(copy)).to.deep.equal(textOf(bare))
  })

  it('has an HMAC that holds for its own key and digest alone', () => {
    const read = readPacket(latin1Bytes(packet))
    if ('why' in read) throw new Error(read.why)
    expect(hmacMatches(read, KEYS.hmac!)).to.equal(true)
    expect(hmacMatches(read, { ...KEYS.hmac!, digest: 'sha3_256' })).to.equal(false)
    expect(hmacMatches(read, { ...KEYS.hmac!, key: latin1Bytes('hmackez') })).to.equal(false)
    expect(hmacMatches(read, { ...KEYS.hmac!, key: new Uint8Array(137) })).to.equal(false)
    expect(hmacMatches(read, KEYS.hmac!, preparedMac(KEYS.hmac!))).to.equal(true)
  })

  it('is not made with keys that no server takes, nor says them', () => {
    const made = (with_: Partial<FwknopKeys>) => () => sealFwknop(MESSAGE, { ...KEYS, ...with_ }, SALT)
    expect(made({ key: new Uint8Array(33) })).to.throw(RangeError, 'key of 33 bytes: expected 1–32')
    expect(made({ hmac: { key: new Uint8Array(137), digest: 'md5' } })).to.throw(RangeError, 'expected 1–136')
    expect(made({ hmac: { key: new Uint8Array(0), digest: 'md5' } })).to.throw(RangeError, 'expected 1–136')
    expect(made({ hmac: { key: KEYS.key, digest: 'md5' } })).to.throw(RangeError, /^HMAC key: expected another/)
    expect(openFwknop(latin1Bytes(bare), { ...BARE, key: new Uint8Array(33) })).to.deep.equal({ why: 'key' })
  })

  it('is not made where the reader would take it for one of GnuPG', () => {
    const long = { ...MESSAGE, type: 0, message: `10.1.2.3,${'x'.repeat(150)}` } as const
    expect(() => sealFwknop(long, KEYS, SALT)).to.throw(RangeError, 'message of')
  })

  it('has 16 digits, whatever the random bytes are', () => {
    expect(randDigits(new Uint8Array(8))).to.equal('0000000000000000')
    expect(randDigits(new Uint8Array(8).fill(255))).to.equal('6744073709551615')
    expect(() => randDigits(new Uint8Array(7))).to.throw(RangeError)
  })
})
