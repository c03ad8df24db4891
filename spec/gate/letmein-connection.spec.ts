import { expect } from 'chai'
import fc from 'fast-check'
import { LetmeinConnection } from '../../lib/gate/letmein-connection.js'
import { gateWith, HERE, knockBytes, responseTo, T0, word } from '../support/letmein.js'

const hear = (connection: LetmeinConnection, ...pieces: Uint8Array[]) =>
  pieces.flatMap((piece) => connection.heard(piece, T0)).map(word)

/** The bytes in pieces of these sizes, the rest in one. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let offset = 0
  for (const size of sizes) {
    pieces.push(bytes.slice(offset, offset + size))
    offset += size
  }
  return [...pieces, bytes.slice(offset)]
}

describe('a letmein connection', () => {
  it('is one exchange, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60)), fc.array(fc.nat(60)), (knockSizes, responseSizes) => {
        const connection = new LetmeinConnection(gateWith(), HERE)
        const verdicts = cut(knockBytes(), knockSizes).flatMap((piece) => connection.heard(piece, T0))
        expect(verdicts.map(word)).to.deep.equal(['CHALLENGE'])
        expect(connection.isOver).to.equal(false)
        const pieces = cut(responseTo(verdicts[0]!), responseSizes)
        const ends = pieces.flatMap((piece) => connection.heard(piece, T0))
        expect(ends.map(word)).to.deep.equal(['request open'])
        expect(ends[0]).to.have.nested.property('request.answer.path.transport', 'tcp')
        expect(connection.isOver).to.equal(true)
        expect(hear(connection, knockBytes())).to.deep.equal([])
      }),
    )
  })

  it('ends without a byte at the first message that shows no key', () => {
    const connection = new LetmeinConnection(gateWith(), HERE)
    expect(hear(connection, new Uint8Array(56))).to.deep.equal(['silence magic'])
    expect(connection.isOver).to.equal(true)
    expect(hear(connection, knockBytes())).to.deep.equal([])
  })

  it('ends with whatever comes in place of the RESPONSE', () => {
    const second: [Uint8Array, string][] = [
      [knockBytes(), 'GOAWAY port'],
      [new Uint8Array(56), 'silence magic'],
      [knockBytes({ user: 3 }), 'silence unknown-user'],
    ]
    for (const [message, expected] of second) {
      const connection = new LetmeinConnection(gateWith(), HERE)
      expect(hear(connection, Buffer.concat([knockBytes(), message, knockBytes()]))).to.deep.equal([
        'CHALLENGE',
        expected,
      ])
      expect(connection.isOver).to.equal(true)
    }
  })

  it("never ends another connection's exchange, and has no use for its CHALLENGE", () => {
    const gate = gateWith()
    const one = new LetmeinConnection(gate, HERE)
    const other = new LetmeinConnection(gate, { ...HERE, sourcePort: 1 })
    const [challenge] = one.heard(knockBytes(), T0)
    expect(hear(other, knockBytes(), responseTo(challenge!))).to.deep.equal(['CHALLENGE', 'silence response'])
    expect(hear(one, responseTo(challenge!))).to.deep.equal(['request open'])
  })
})
