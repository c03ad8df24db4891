import { expect } from 'chai'
import fc from 'fast-check'
import type { LetmeinGate } from '../../lib/gate/letmein.js'
import type { Path } from '../../lib/gate/verdict.js'
import { decode, encode, type MessageOperation, ZERO_AUTH } from '../../lib/wire/letmein.js'
import {
  bytes,
  bytes32,
  fresh,
  fromPort,
  gateWith,
  HERE,
  ids,
  judge,
  knockBytes,
  later,
  messageIn,
  POLICIES,
  RESOURCES,
  responseTo,
  T0,
  word,
} from '../support/letmein.js'

const OPERATIONS: readonly MessageOperation[] = ['KNOCK', 'CHALLENGE', 'RESPONSE', 'COMEIN', 'GOAWAY', 'REVOKE']

describe('the letmein gate', () => {
  it('answers a right KNOCK with a CHALLENGE, and makes a request of its RESPONSE', () => {
    const gate = gateWith()
    const challenge = judge(gate, knockBytes())
    expect(challenge).to.include({ kind: 'reply', isLast: false, user: 1 })
    expect(messageIn(challenge)).to.include({ operation: 'CHALLENGE', user: 1, resource: 10 })
    const verdict = judge(gate, responseTo(challenge), later(80))
    if (verdict.kind !== 'request') throw new Error(word(verdict))
    const { answer, ...request } = verdict.request
    expect(request).to.deep.equal({
      protocol: 'letmein',
      operation: 'open',
      user: 1,
      resource: 10,
      address: '192.0.2.7',
      addressSigned: false,
      lifetimeSeconds: 0,
      replay: {
        user: 1,
        id: messageIn(challenge)!.auth,
        timeMs: T0.wallMs,
        expiresMs: T0.wallMs + 10_000,
        isOfThisRun: true,
      },
    })
    expect(answer!.path).to.deep.equal(HERE)
    for (const [name, operation] of [
      ['comein', 'COMEIN'],
      ['goaway', 'GOAWAY'],
    ] as const)
      expect(decode(answer![name])).to.deep.include({ operation, user: 1, resource: 10, auth: ZERO_AUTH })
  })

  it('revokes with REVOKE, over IPv6 and TCP too', () => {
    const path: Path = { ...HERE, source: '2001:db8::7', destination: '2001:db8::1', transport: 'tcp' }
    const gate = gateWith()
    const verdict = judge(gate, responseTo(judge(gate, knockBytes({ operation: 'REVOKE' }), T0, path)), T0, path)
    expect(verdict)
      .to.have.property('request')
      .that.deep.includes({ operation: 'revoke', address: '2001:db8::7' })
      .and.has.nested.property('answer.path')
      .that.deep.equals(path)
  })

  it('keeps nothing that lies in the buffer it was heard in', () => {
    const gate = gateWith()
    const buffer = Buffer.alloc(80)
    const hear = (data: Uint8Array) => {
      buffer.set(data, 3)
      const verdict = judge(gate, buffer.subarray(3, 59))
      buffer.fill(0xee)
      return verdict
    }
    const challenge = hear(knockBytes())
    const verdict = hear(responseTo(challenge))
    expect(verdict).to.have.nested.property('request.replay.id').that.deep.equals(messageIn(challenge)!.auth)
    expect([hear(knockBytes()), hear(knockBytes())].map(word)).to.deep.equal(['CHALLENGE', 'GOAWAY port'])
  })

  const salt = fresh()
  const errors: [string, (gate: LetmeinGate) => Uint8Array, string, [always: string, basic: string, full: string]][] = [
    ['an unknown user', () => knockBytes({ user: 3 }), 'unknown-user', ['GOAWAY', 'silence', 'silence']],
    ['a wrong auth', () => knockBytes({ auth: new Uint8Array(32) }), 'auth', ['GOAWAY', 'silence', 'silence']],
    ['an unknown resource', () => knockBytes({ resource: 14 }), 'resource', ['GOAWAY', 'GOAWAY', 'silence']],
    ["another user's resource", () => knockBytes({ resource: 12 }), 'not-allowed', ['GOAWAY', 'GOAWAY', 'silence']],
    ['the control port', () => knockBytes({ resource: 13 }), 'control-port', ['GOAWAY', 'GOAWAY', 'silence']],
    [
      'a further KNOCK from the same port',
      (gate) => {
        judge(gate, knockBytes())
        return knockBytes({ operation: 'REVOKE', resource: 11 })
      },
      'port',
      ['GOAWAY', 'GOAWAY', 'silence'],
    ],
    [
      'a salt that was heard before',
      (gate) => {
        judge(gate, knockBytes({ salt }), T0, fromPort(9))
        return knockBytes({ salt, resource: 11 })
      },
      'salt',
      ['silence', 'silence', 'silence'],
    ],
    [
      'a RESPONSE to nothing',
      () => encode({ operation: 'RESPONSE', user: 1, resource: 10, salt, auth: bytes32(7) }),
      'response',
      ['GOAWAY', 'silence', 'silence'],
    ],
    [
      'a wrong RESPONSE',
      (gate) => {
        judge(gate, knockBytes())
        return encode({ operation: 'RESPONSE', user: 1, resource: 10, salt, auth: bytes32(7) })
      },
      'response',
      ['GOAWAY', 'silence', 'silence'],
    ],
    ...(['CHALLENGE', 'COMEIN', 'GOAWAY'] as const).map(
      (operation) =>
        [
          `a ${operation}`,
          (gate: LetmeinGate) => {
            judge(gate, knockBytes())
            return encode({ operation, user: 1, resource: 10, salt, auth: ZERO_AUTH })
          },
          'order',
          ['silence', 'silence', 'silence'],
        ] as [string, (gate: LetmeinGate) => Uint8Array, string, [string, string, string]],
    ),
  ]
  for (const [what, make, why, expected] of errors)
    POLICIES.forEach((errorPolicy, i) => {
      it(`says ${expected[i]} to ${what} under ${errorPolicy}`, () => {
        const gate = gateWith({ errorPolicy })
        const verdict = judge(gate, make(gate))
        expect(word(verdict)).to.equal(`${expected[i]} ${why}`)
        if (verdict.kind === 'reply') expect(verdict.isLast).to.equal(true)
      })
    })

  it('names in a GOAWAY the ids of the exchange, else of the KNOCK, else none', () => {
    const gate = gateWith({ errorPolicy: 'always' })
    const wrong = encode({ operation: 'RESPONSE', user: 2, resource: 11, salt, auth: bytes32(1) })
    expect(messageIn(judge(gate, wrong))).to.include({ user: 0xffffffff, resource: 0xffffffff })
    expect(messageIn(judge(gate, knockBytes({ user: 3, resource: 99 })))).to.include({ user: 3, resource: 99 })
    judge(gate, knockBytes())
    expect(messageIn(judge(gate, wrong))).to.include({ user: 1, resource: 10 })
    expect(messageIn(judge(gate, wrong, later(7000)))).to.include({ user: 1, resource: 10 })
    expect(messageIn(judge(gate, wrong, later(10_000)))).to.include({ user: 0xffffffff })
  })

  it('never throws, and is silent to all that shows no key, unless the policy is always', () => {
    const gates = POLICIES.map((errorPolicy) => ({ errorPolicy, gate: gateWith({ errorPolicy }) }))
    for (const { gate } of gates) judge(gate, knockBytes())
    const messages = fc
      .record({
        operation: fc.constantFrom(...OPERATIONS),
        user: fc.oneof(fc.constantFrom(1, 2), ids),
        resource: fc.oneof(fc.constantFrom(...RESOURCES.map(({ id }) => id)), ids),
        salt: bytes(8),
        auth: bytes(32),
      })
      .map(encode)
    const headed = bytes(56).map((raw) => Uint8Array.of(0x3b, 0x1b, 0xb7, 0x19, ...raw.subarray(4)))
    fc.assert(
      fc.property(fc.oneof(messages, headed, fc.uint8Array({ maxLength: 120 })), fc.nat(3), (raw, port) => {
        for (const { errorPolicy, gate } of gates) {
          const verdict = judge(gate, raw, T0, fromPort(HERE.sourcePort + port))
          if (errorPolicy === 'always') expect(word(verdict)).to.match(/^(silence|GOAWAY)/)
          else expect(verdict.kind).to.equal('silence')
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('is silent to a KNOCK or RESPONSE with any one bit flipped, and takes the right one after it', () => {
    const gate = gateWith()
    const exchanges = [knockBytes(), responseTo(judge(gate, knockBytes()))]
    for (const right of exchanges) {
      for (let bit = 0; bit < right.length * 8; bit++) {
        // The salt of a RESPONSE is signed as well.
        const flipped = Uint8Array.from(right)
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        expect(judge(gate, flipped).kind, `bit ${bit}`).to.equal('silence')
      }
    }
    expect(word(judge(gate, exchanges[1]!))).to.equal('request open')
    expect(word(judge(gate, exchanges[0]!, T0, fromPort(9)))).to.equal('CHALLENGE')
  })

  it('lets nothing that a stranger sends from the same port end an exchange', () => {
    const gate = gateWith()
    const knock = knockBytes()
    const challenge = judge(gate, knock)
    for (const noise of [
      knock,
      bytes32(1),
      new Uint8Array(56),
      encode({ ...messageIn(challenge)!, operation: 'COMEIN' }),
    ])
      expect(judge(gate, noise).kind).to.equal('silence')
    judge(gate, encode({ ...messageIn(challenge)!, operation: 'RESPONSE' }))
    expect(word(judge(gate, responseTo(challenge)))).to.equal('request open')
  })
})
