import { expect } from 'chai'
import fc from 'fast-check'
import { decodeEnrolment, type EnrolledResource, type Enrolment, encodeEnrolment } from '../../lib/wire/enrolment.js'

const port = fc.integer({ min: 1, max: 65_535 })
const id = fc.integer({ min: 0, max: 0xffff_ffff })
const range = fc.tuple(port, port).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }))
const resources: fc.Arbitrary<EnrolledResource> = fc.record(
  {
    id,
    name: fc.stringMatching(/^[a-z][a-z0-9_.-]{0,12}$/),
    ports: fc.array(range, { minLength: 1, maxLength: 3 }),
    protocols: fc.constantFrom(['tcp'] as const, ['udp'] as const, ['tcp', 'udp'] as const),
    instant: fc.boolean(),
    timeoutSeconds: fc.integer({ min: 1, max: 0xffff_ffff }),
    connections: fc.integer({ min: 0, max: 65_535 }),
  },
  { requiredKeys: ['id', 'ports', 'protocols', 'instant', 'timeoutSeconds', 'connections'] },
)
const enrolments: fc.Arbitrary<Enrolment> = fc.record({
  host: fc.oneof(
    fc.domain().filter((name) => name.length < 100),
    fc.ipV4(),
    fc.ipV6(),
  ),
  port: fc.oneof(port, fc.constant('any' as const)),
  alsoLetmein: fc.boolean(),
  realm: fc.stringMatching(/^[a-zäöü]([a-zäöü .-]{0,30}[a-z])?$/),
  user: id,
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  resources: fc.array(resources, { maxLength: 4 }),
})

const SAMPLE: Enrolment = {
  host: 'gate.example.org',
  port: 5800,
  alsoLetmein: false,
  realm: 'gate.example.org',
  user: 1,
  key: Uint8Array.from({ length: 32 }, (_, i) => i),
  resources: [
    {
      id: 0x22,
      name: 'ssh',
      ports: [{ first: 22, last: 22 }],
      protocols: ['tcp'],
      instant: true,
      timeoutSeconds: 30,
      connections: 0,
    },
  ],
}
const LINE = encodeEnrolment(SAMPLE)
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. :'

describe('an enroll line', () => {
  it('is one short line of characters that need no quotes', () => {
    expect(LINE).to.equal(
      'postern1:AGYAAAABFqgAAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8QZ2F0ZS5leGFtcGxlLm9yZxBnYXRlLmV4YW1wbGUub3JnAQAAACIFAAAAHgNzc2gBABYAFsrQ30ECTAUw',
    )
  })

  it('says what was put into it', () => {
    fc.assert(
      fc.property(enrolments, (enrolment) => {
        expect(decodeEnrolment(encodeEnrolment(enrolment))).to.deep.equal(enrolment)
        expect(decodeEnrolment(`  ${encodeEnrolment(enrolment)}\r\n`)).to.deep.equal(enrolment)
      }),
    )
  })

  it('is refused wherever it is cut', () => {
    for (let end = 0; end < LINE.length; end++) {
      const why = decodeEnrolment(LINE.slice(0, end))
      expect(why, LINE.slice(0, end)).to.deep.equal({ why: end === 0 ? 'none' : 'cut' })
      if (end > 0) expect(decodeEnrolment(LINE.slice(end))).to.have.property('why')
    }
  })

  it('is refused with any one character altered, taken out or put in', () => {
    for (let at = 0; at < LINE.length; at++) {
      expect(decodeEnrolment(LINE.slice(0, at) + LINE.slice(at + 1)), `without ${at}`).to.have.property('why')
      for (const character of ALPHABET) {
        const put = LINE.slice(0, at) + character + LINE.slice(at)
        if (put.trim() !== LINE) expect(decodeEnrolment(put), `${character} put in at ${at}`).to.have.property('why')
        const altered = LINE.slice(0, at) + character + LINE.slice(at + 1)
        if (altered !== LINE) expect(decodeEnrolment(altered), `${character} at ${at}`).to.have.property('why')
      }
    }
  })

  it('is refused with any bits of it flipped, whatever it says', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(enrolments, flips, (enrolment, changes) => {
        const line = encodeEnrolment(enrolment)
        const bytes = Buffer.from(line.slice(9), 'base64url')
        for (const [at, bits] of changes) bytes[at % bytes.length]! ^= bits
        const altered = `postern1:${bytes.toString('base64url')}`
        if (altered !== line) expect(decodeEnrolment(altered)).to.have.property('why')
      }),
      { numRuns: 500 },
    )
  })

  it('tells what is wrong with it', () => {
    expect(decodeEnrolment(LINE.replace('postern1', 'postern2'))).to.deep.equal({ why: 'version' })
    expect(decodeEnrolment('ssh-ed25519 AAAA')).to.deep.equal({ why: 'none' })
    expect(decodeEnrolment(`${LINE}AAAA`)).to.deep.equal({ why: 'long' })
    expect(decodeEnrolment(LINE.replace('Z2F0', 'Z2F1'))).to.deep.equal({ why: 'altered' })
  })

  it('never makes anything throw, whatever the text is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((t) => `postern1:${t}`),
        ),
        (t) => void decodeEnrolment(t),
      ),
    )
  })

  it('is refused where it would write more than its own lines into a file', () => {
    for (const bad of [
      { realm: 'gate\n[KEYS]' },
      { host: 'gate]\n[KEYS' },
      { host: '' },
      { host: 'a b' },
      { resources: [{ ...SAMPLE.resources[0]!, name: 'a\nb' }] },
      { resources: [{ ...SAMPLE.resources[0]!, ports: [] }] },
      { resources: [{ ...SAMPLE.resources[0]!, ports: [{ first: 9, last: 8 }] }] },
    ])
      expect(decodeEnrolment(encodeEnrolment({ ...SAMPLE, ...bad }))).to.deep.equal({ why: 'content' })
  })

  it('does not take what does not fit', () => {
    expect(() => encodeEnrolment({ ...SAMPLE, key: new Uint8Array(31) })).to.throw(RangeError, 'expected 32')
    expect(() => encodeEnrolment({ ...SAMPLE, realm: 'x'.repeat(256) })).to.throw(RangeError, 'at most 255')
  })
})
