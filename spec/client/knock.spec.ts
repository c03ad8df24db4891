import { expect } from 'chai'
import fc from 'fast-check'
import { below, Knocker, type Wish } from '../../lib/client/knock.js'
import { type Knock, open } from '../../lib/wire/spa.js'
import { deriveKeys, SLOT_MS, tagsOf, tokensOf } from '../../lib/wire/spa-keys.js'

const identity = { user: 0x2a, key: new Uint8Array(32).fill(7), realm: 'gate' }
const keys = deriveKeys(identity.key, identity.realm)
const timeMs = 1_796_985_552_153
const slot = Math.floor(timeMs / SLOT_MS)
const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))
const plain: Wish = { operation: 'open', resource: 0x22, lifetimeSeconds: 0, instant: 'no' }

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const tag = (datagram: Uint8Array) => hex(datagram.subarray(0, 8))
const token = (datagram: Uint8Array) => hex(datagram.subarray(8, 24))
const cut = (bytes: Uint8Array, size: number) =>
  Array.from({ length: bytes.length / size }, (_, i) => hex(bytes.subarray(i * size, (i + 1) * size)))
const distinct = (words: readonly string[]) => new Set(words).size

describe('the datagrams of one knock', () => {
  it('say what is wished', () => {
    const wish: Wish = { ...plain, operation: 'extend', lifetimeSeconds: 3600, address: '2001:db8::7' }
    const [datagram, ...others] = new Knocker(identity, random).datagrams(wish, timeMs)
    expect(others).to.be.empty
    const { instant: _, ...fields } = wish
    expect(open(datagram!, keys.seal)).to.deep.equal({ ...fields, user: 0x2a, timeMs, instant: false })
  })

  it('open under the key and realm of the identity only', () => {
    const [datagram] = new Knocker(identity, random).datagrams(plain, timeMs)
    const elsewhere = deriveKeys(identity.key, 'another gate')
    expect(open(datagram!, elsewhere.seal)).to.have.property('why', 'seal')
  })

  it('have no bytes in common: no tag, token, nonce or payload twice', () => {
    fc.assert(
      fc.property(fc.constantFrom('no', 'first', 'alone'), fc.integer({ min: 1, max: 4 }), (instant, addresses) => {
        const knocker = new Knocker(identity, random)
        const all = Array.from({ length: addresses }, () => knocker.datagrams({ ...plain, instant }, timeMs)).flat()
        const fresh = all.slice(0, 4) // A slot has four tags: from the fifth datagram on they come again.
        expect(distinct(fresh.map(tag))).to.equal(fresh.length)
        for (const [from, to] of [
          [8, 24],
          [24, 32],
          [32, 70],
        ]) {
          expect(distinct(all.map((datagram) => hex(datagram.subarray(from, to))))).to.equal(all.length)
        }
      }),
    )
  })

  it('carry tags of the slot, each once before any comes again', () => {
    const knocker = new Knocker(identity, random)
    const tags = cut(tagsOf(keys.tag, slot), 8)
    const used = Array.from({ length: 8 }, () => tag(knocker.datagrams(plain, timeMs)[0]!))
    expect(used.slice(0, 4)).to.have.members(tags)
    expect(used.slice(4)).to.have.members(tags)
  })

  it('begin anew with the tags when the slot has turned', () => {
    const knocker = new Knocker(identity, random)
    knocker.datagrams(plain, timeMs)
    const used = Array.from({ length: 4 }, () => tag(knocker.datagrams(plain, timeMs + SLOT_MS)[0]!))
    expect(used).to.have.members(cut(tagsOf(keys.tag, slot + 1), 8))
  })

  it('draw tags at random: each of the four comes first some time', () => {
    const first = Array.from({ length: 200 }, () => tag(new Knocker(identity, random).datagrams(plain, timeMs)[0]!))
    expect(distinct(first)).to.equal(4)
  })

  it('are, for an instant resource, an instant one and an ordinary one behind it', () => {
    const datagrams = new Knocker(identity, random).datagrams({ ...plain, instant: 'first' }, timeMs)
    expect(datagrams.map((datagram) => (open(datagram, keys.seal) as Knock).instant)).to.deep.equal([true, false])
  })

  it('are, with --single, the instant one alone', () => {
    const datagrams = new Knocker(identity, random).datagrams({ ...plain, instant: 'alone' }, timeMs)
    expect(datagrams.map((datagram) => (open(datagram, keys.seal) as Knock).instant)).to.deep.equal([true])
  })

  it('carry tokens of their resource and slot, each once before any comes again', () => {
    const knocker = new Knocker(identity, random)
    const used = Array.from({ length: 16 }, () => token(knocker.datagrams({ ...plain, instant: 'alone' }, timeMs)[0]!))
    expect(used).to.have.members(cut(tokensOf(keys.instant, slot, 0x22), 16))
    const other = token(knocker.datagrams({ ...plain, resource: 0x23, instant: 'alone' }, timeMs)[0]!)
    expect(cut(tokensOf(keys.instant, slot, 0x23), 16)).to.include(other)
  })

  it('have every length from 86 to 256 bytes', () => {
    const knocker = new Knocker(identity, random)
    const lengths = Array.from({ length: 3000 }, () => knocker.datagrams(plain, timeMs)[0]!.length)
    expect(Math.min(...lengths)).to.be.within(86, 90)
    expect(Math.max(...lengths)).to.be.within(252, 256)
    expect(new Set(lengths).size).to.be.greaterThan(150)
  })
})

describe('a random number below a limit', () => {
  it('is below it, whatever the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_536 }), (limit) => {
        expect(below(limit, random)).to.be.within(0, limit - 1)
      }),
    )
  })

  it('draws again where a plain remainder would favour small numbers', () => {
    const drawn = [Uint8Array.of(0xff, 0xff), Uint8Array.of(0, 5)]
    expect(below(171, () => drawn.shift()!)).to.equal(5)
    expect(drawn).to.be.empty
  })
})
