import { expect } from 'chai'
import fc from 'fast-check'
import { batchBytes, splitChanges, writeBatch } from '../../../lib/firewall/netlink/batch.js'
import { readElements } from '../../../lib/firewall/netlink/elements.js'
import { messagesOf } from '../../../lib/firewall/netlink/message.js'
import { MessageWriter } from '../../../lib/firewall/netlink/writer.js'
import { type Change, FirewallError, type SetElement, type SetRef } from '../../../lib/firewall/types.js'

const set: SetRef = { family: 1, table: 't', set: 's' }

/**
 * The attributes that the nft program sent for `add element inet t s { 198.18.0.1 timeout 1m comment "u=1 r=22" }` (strace);
 * it has the timeout before the key, which the kernel does not mind.
 */
const NFT_KEY = '0c00018008000100c6120001'
const NFT_TIMEOUT = '0c000400000000000000ea60'
const NFT_COMMENT = '0f0006000009753d3120723d32320000'

const element: fc.Arbitrary<SetElement> = fc.record(
  {
    key: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    timeoutMs: fc.integer({ min: 10, max: 2 ** 40 }),
    expiresMs: fc.integer({ min: 10, max: 2 ** 40 }),
    comment: fc.stringMatching(/^[A-Za-z0-9=_.:/ -]{0,100}$/),
  },
  { requiredKeys: ['key'] },
)

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    to: fc.constant(set),
    elements: fc.array(element, { maxLength: 60 }),
  }),
  fc.record({
    kind: fc.constant('add' as const),
    to: fc.constant(set),
    replace: fc.constant(true as const),
    elements: fc.array(element, { maxLength: 60 }),
  }),
  fc.record({
    kind: fc.constant('remove' as const),
    from: fc.constant(set),
    keys: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 60 }),
  }),
  fc.record({ kind: fc.constant('flush' as const), set: fc.constant(set) }),
)

function written(changes: readonly Change[]): Uint8Array {
  const writer = new MessageWriter()
  writeBatch(writer, changes, 100)
  return writer.written()
}

function elementsIn(bytes: Uint8Array, type = 0xa0c): SetElement[] {
  const found: SetElement[] = []
  for (const message of messagesOf(bytes)) if (message.type === type) readElements(message, found)
  return found
}

describe('a transaction', () => {
  it('says what the nft program says', () => {
    const bytes = written([
      {
        kind: 'add',
        to: set,
        elements: [{ key: new Uint8Array([198, 18, 0, 1]), timeoutMs: 60_000, comment: 'u=1 r=22' }],
      },
    ])
    const [begin, add, end, ...more] = messagesOf(bytes)
    expect([begin!.type, add!.type, end!.type, more.length]).to.deep.equal([0x10, 0xa0c, 0x11, 0])
    expect([begin!.sequence, add!.sequence, end!.sequence]).to.deep.equal([100, 101, 102])
    const item = Buffer.from(bytes.subarray(add!.start + 20 + 4, add!.end)).toString('hex')
    expect(item).to.equal(`2c000180${NFT_KEY}${NFT_TIMEOUT}${NFT_COMMENT}`)
  })

  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 50 }), (elements) => {
        expect(elementsIn(written([{ kind: 'add', to: set, elements }]))).to.deep.equal(elements)
      }),
    )
  })

  it('asks for one answer, to its last message', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
        const messages = messagesOf(written(changes))
        const answered = messages.filter((message) => (message.flags & 4) !== 0)
        const steps = messages.length - 2
        expect(answered.map((message) => message.sequence)).to.deep.equal(steps > 0 ? [100 + steps] : [])
      }),
    )
  })

  it('removes by adding and deleting, each key once', () => {
    const keys = [new Uint8Array([1, 1]), new Uint8Array([2, 2]), new Uint8Array([1, 1])]
    const bytes = written([{ kind: 'remove', from: set, keys }])
    expect(messagesOf(bytes).map((message) => message.type)).to.deep.equal([0x10, 0xa0c, 0xa0e, 0x11])
    expect(elementsIn(bytes, 0xa0e).map((each) => each.key[0])).to.deep.equal([1, 2])
  })

  it('splits long lists so that the length of each fits its 16 bits', () => {
    const elements = Array.from({ length: 10_000 }, (_, i) => ({ key: new Uint8Array([i >> 8, i]), timeoutMs: 1000 }))
    const bytes = written([{ kind: 'add', to: set, elements }])
    const messages = messagesOf(bytes)
    expect(messages.length).to.be.within(6, 8)
    expect(elementsIn(bytes)).to.have.length(10_000)
    for (const message of messages) expect(message.end - message.start).to.be.at.most(0xffff + 24)
  })

  it('is never longer than was foretold, and parts hold all of it, in order, each within its bound', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.integer({ min: 600, max: 4000 }), (changes, maxBytes) => {
        expect(written(changes).length).to.be.at.most(Math.max(40, batchBytes(changes)))
        const parts = splitChanges(changes, maxBytes)
        for (const part of parts) {
          const single = part.length === 1 && part[0]!.kind === 'add' && part[0]!.elements.length <= 1
          if (!single) expect(written(part).length).to.be.at.most(maxBytes)
        }
        const total = (list: readonly Change[]) => list.flatMap((each) => (each.kind === 'add' ? each.elements : []))
        expect(total(parts.flat())).to.deep.equal(total(changes))
        const keys = (list: readonly Change[]) => list.flatMap((each) => (each.kind === 'remove' ? each.keys : []))
        expect(keys(parts.flat())).to.deep.equal(keys(changes))
      }),
    )
  })

  const bad: [string, SetElement][] = [
    ['no key', { key: new Uint8Array(0) }],
    ['a key that is too long', { key: new Uint8Array(65) }],
    ['no time', { key: new Uint8Array(4), timeoutMs: 0 }],
    ['a time that is past', { key: new Uint8Array(4), timeoutMs: -1 }],
    ['a time that is none', { key: new Uint8Array(4), expiresMs: Number.NaN }],
    ['a time without end', { key: new Uint8Array(4), timeoutMs: Number.POSITIVE_INFINITY }],
    ['a comment with a quotation mark', { key: new Uint8Array(4), comment: 'a"b' }],
    ['a comment that is too long', { key: new Uint8Array(4), comment: 'a'.repeat(101) }],
  ]
  for (const [what, element_] of bad) {
    it(`is not written with ${what}`, () => {
      expect(() => written([{ kind: 'add', to: set, elements: [element_] }])).to.throw(FirewallError)
    })
  }
})
