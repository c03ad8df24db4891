import { expect } from 'chai'
import fc from 'fast-check'
import { readElements } from '../../../lib/firewall/netlink/elements.js'
import { decodeEvents } from '../../../lib/firewall/netlink/events.js'
import { Attributes, errnoOf, forEachAttribute, messagesOf } from '../../../lib/firewall/netlink/message.js'
import { decodeNflog } from '../../../lib/firewall/netlink/nflog.js'
import { readBaseChain, readSetName, readTable } from '../../../lib/firewall/netlink/tables.js'
import { MessageWriter } from '../../../lib/firewall/netlink/writer.js'

/** Bytes that look like netlink: true headers around attributes that may lie about their lengths. */
const almostNetlink = fc
  .record({
    type: fc.constantFrom(0x400, 0xa00, 0xa03, 0xa06, 0xa09, 0xa0c, 0xa0e, 0xa0f, 2, 3),
    lie: fc.integer({ min: -4, max: 40 }),
    attributes: fc.array(
      fc.record({ type: fc.nat(40), lie: fc.integer({ min: -6, max: 6 }), value: fc.uint8Array({ maxLength: 24 }) }),
      { maxLength: 8 },
    ),
  })
  .map(({ type, lie, attributes }) => {
    const writer = new MessageWriter()
    writer.begin(type, 0, 1, 1)
    for (const attribute of attributes) {
      const nest = writer.nest(attribute.type)
      writer.raw(1, attribute.value)
      writer.unnest(nest)
    }
    writer.finish()
    const bytes = writer.written().slice()
    const view = new DataView(bytes.buffer)
    view.setUint32(0, Math.max(0, bytes.length + lie), true)
    if (attributes[0] !== undefined)
      view.setUint16(20, Math.max(0, attributes[0].value.length + 8 + attributes[0].lie), true)
    return bytes
  })

describe('netlink messages', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            type: fc.nat(0xffff),
            flags: fc.nat(0xffff),
            sequence: fc.nat(0xffffffff),
            raw: fc.uint8Array({ maxLength: 5000 }),
            number: fc.nat(0xffffffff),
            large: fc.nat(Number.MAX_SAFE_INTEGER),
            text: fc.stringMatching(/^[ -~]{0,40}$/),
          }),
          { maxLength: 20 },
        ),
        (wanted) => {
          const writer = new MessageWriter()
          for (const item of wanted) {
            writer.begin(item.type, item.flags, item.sequence, 10, 513)
            writer.raw(1, item.raw)
            writer.be32(2, item.number)
            const nest = writer.nest(3)
            writer.be64(4, item.large)
            writer.unnest(nest)
            writer.text(5, item.text)
            writer.finish()
          }
          const messages = messagesOf(writer.written())
          expect(messages.length).to.equal(wanted.length)
          messages.forEach((message, i) => {
            const item = wanted[i]!
            const fields = new Attributes().readMessage(message)
            const inner = fields.nested(3, new Attributes())
            expect(message).to.include({ type: item.type, flags: item.flags | 1, sequence: item.sequence })
            expect(fields.view(1)).to.deep.equal(item.raw)
            expect(fields.be32(2)).to.equal(item.number)
            expect(inner.be64(4)).to.equal(item.large)
            expect(inner.handle(4)).to.equal(BigInt(item.large))
            expect(fields.text(5)).to.equal(item.text)
            expect(fields.has(6)).to.equal(false)
          })
        },
      ),
      { numRuns: 50 },
    )
  })

  it('leave no bytes of an earlier message in the padding', () => {
    const writer = new MessageWriter()
    writer.begin(1, 0, 1, 1)
    writer.raw(1, new Uint8Array(40).fill(0xff))
    writer.finish()
    writer.reset()
    writer.begin(1, 0, 1, 1)
    writer.byte(1, 1)
    writer.finish()
    expect([...writer.written().subarray(20)]).to.deep.equal([5, 0, 1, 0, 1, 0, 0, 0])
  })

  it('never make a reader throw, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), almostNetlink), (bytes) => {
        decodeEvents(bytes)
        decodeNflog(bytes)
        for (const message of messagesOf(bytes)) {
          expect(message.end).to.be.at.most(bytes.length)
          errnoOf(message)
          readElements(message, [])
          readTable(message)
          readBaseChain(message)
          readSetName(message, 1, 't')
        }
        forEachAttribute(bytes, 0, bytes.length + 100, (_, start, end) => {
          expect(start).to.be.at.most(end)
          expect(end).to.be.at.most(bytes.length)
        })
      }),
      { numRuns: 2000 },
    )
  })

  it('end at the first that is cut off or says a length that cannot be', () => {
    const writer = new MessageWriter()
    for (const sequence of [1, 2]) {
      writer.begin(7, 0, sequence, 1)
      writer.finish()
    }
    const bytes = writer.written()
    expect(messagesOf(bytes)).to.have.length(2)
    expect(messagesOf(bytes.subarray(0, 39))).to.have.length(1)
    const zero = bytes.slice()
    zero.fill(0, 20, 24)
    expect(messagesOf(zero)).to.have.length(1)
  })
})
