import { expect } from 'chai'
import fc from 'fast-check'
import { LetmeinExchange } from '../../lib/client/letmein-exchange.js'
import { decode, encode, type Message, type MessageOperation, ZERO_AUTH } from '../../lib/wire/letmein.js'
import { bytes, fresh, gateWith, HERE, KEYS, nativeAuthOf, T0, word } from '../support/letmein.js'

const KEY = KEYS.get(1)!

function client(operation: 'KNOCK' | 'REVOKE' = 'KNOCK'): LetmeinExchange {
  return new LetmeinExchange({ operation, user: 1, resource: 10, key: KEY, random: fresh })
}

function answer(operation: MessageOperation, more: Partial<Message> = {}): Uint8Array {
  return encode({ operation, user: 1, resource: 10, salt: fresh(), auth: ZERO_AUTH, ...more })
}

const CHALLENGE = answer('CHALLENGE', { auth: new Uint8Array(32).fill(5) })

describe("letmein's exchange, as the client has it", () => {
  for (const operation of ['KNOCK', 'REVOKE'] as const)
    it(`is a ${operation}, a RESPONSE, and the end, and our own gate takes both`, () => {
      const gate = gateWith()
      const exchange = client(operation)
      const challenge = gate.judge({ ...HERE, bytes: exchange.first() }, T0)
      if (challenge.kind !== 'reply') throw new Error(word(challenge))
      const response = exchange.feed(challenge.bytes)
      if (response.kind !== 'send') throw new Error(response.kind)
      const verdict = gate.judge({ ...HERE, bytes: response.bytes }, T0)
      if (verdict.kind !== 'request') throw new Error(word(verdict))
      expect(exchange.feed(verdict.request.answer!.comein)).to.deep.equal({ kind: 'done', warnings: [] })
      expect(exchange.feed(CHALLENGE)).to.deep.equal({ kind: 'ignored' })
    })

  it('signs its RESPONSE for the challenge it was given, with salts of its own', () => {
    const exchange = client()
    const knock = decode(exchange.first()) as Message
    const step = exchange.feed(CHALLENGE)
    const response = decode((step as { bytes: Uint8Array }).bytes) as Message
    expect(response).to.include({ operation: 'RESPONSE', user: 1, resource: 10 })
    expect(response.salt).to.not.deep.equal(knock.salt)
    expect(Buffer.from(response.auth)).to.deep.equal(nativeAuthOf(KEY, response, new Uint8Array(32).fill(5)))
  })

  it('is over at GOAWAY, whenever and for whomever, and at a message out of turn', () => {
    const failing: [string, Uint8Array[], string][] = [
      ['GOAWAY', [answer('GOAWAY')], 'goaway'],
      ['GOAWAY to nobody', [answer('GOAWAY', { user: 0xffffffff, resource: 0xffffffff })], 'goaway'],
      ['GOAWAY after RESPONSE', [CHALLENGE, answer('GOAWAY')], 'goaway'],
      ['COMEIN at once', [answer('COMEIN')], 'order'],
      ['RESPONSE', [answer('RESPONSE')], 'order'],
      ['a second CHALLENGE', [CHALLENGE, CHALLENGE], 'order'],
      ['another magic', [new Uint8Array(56)], 'magic'],
    ]
    for (const [what, datagrams, why] of failing) {
      const exchange = client()
      const steps = datagrams.map((datagram) => exchange.feed(datagram))
      expect(steps.at(-1), what).to.include({ kind: 'failed', why })
      expect(exchange.feed(answer('COMEIN'))).to.deep.equal({ kind: 'ignored' })
    }
    const unknown = answer('COMEIN')
    unknown[7] = 6
    expect(client().feed(unknown)).to.deep.equal({ kind: 'failed', why: 'operation', detail: 'operation 6' })
  })

  it('warns of other ids than its own, and goes on', () => {
    const exchange = client()
    expect(exchange.feed(answer('CHALLENGE', { user: 7 })))
      .to.have.property('warnings')
      .that.deep.equals(["the server's CHALLENGE names user 00000007: expected 00000001"])
    expect(exchange.feed(answer('COMEIN', { user: 8, resource: 9 })))
      .to.include({ kind: 'done' })
      .and.have.property('warnings')
      .that.has.length(2)
  })

  it('takes the first 56 bytes of a longer datagram, and lets a shorter one be', () => {
    const exchange = client()
    for (let length = 0; length < 56; length++)
      expect(exchange.feed(CHALLENGE.subarray(0, length))).to.deep.equal({ kind: 'ignored' })
    expect(exchange.feed(Buffer.concat([CHALLENGE, new Uint8Array(20)])).kind).to.equal('send')
    expect(exchange.feed(Buffer.concat([answer('COMEIN'), new Uint8Array(1)])).kind).to.equal('done')
  })

  it('never throws, and is never done before a COMEIN that follows a CHALLENGE', () => {
    const messages = fc
      .record({
        operation: fc.constantFrom<MessageOperation>('KNOCK', 'CHALLENGE', 'RESPONSE', 'COMEIN', 'GOAWAY', 'REVOKE'),
        auth: bytes(32),
      })
      .map(({ operation, auth }) => answer(operation, { auth }))
    fc.assert(
      fc.property(fc.array(fc.oneof(messages, fc.uint8Array({ maxLength: 120 })), { maxLength: 8 }), (datagrams) => {
        const exchange = client()
        const heard: string[] = []
        for (const datagram of datagrams) {
          const step = exchange.feed(datagram)
          const message = decode(datagram)
          if (step.kind !== 'ignored') heard.push('why' in message ? message.why : message.operation)
          if (step.kind === 'done') expect(heard).to.deep.equal(['CHALLENGE', 'COMEIN'])
        }
      }),
    )
  })
})
