import { expect } from 'chai'
import fc from 'fast-check'
import { Challenges } from '../../lib/gate/challenges.js'
import { LetmeinGate, type LetmeinVerdict } from '../../lib/gate/letmein.js'
import type { Path } from '../../lib/gate/verdict.js'
import { decode, encode, type MessageOperation, ZERO_AUTH } from '../../lib/wire/letmein.js'
import {
  bytes,
  fresh,
  gateWith,
  HERE,
  ids,
  KEYS,
  knockBytes,
  later,
  letmeinKeys,
  messageIn,
  POLICIES,
  RESOURCES,
  responseTo,
  saltMemory,
  T0,
  word,
} from '../support/letmein.js'

const OPERATIONS: readonly MessageOperation[] = ['KNOCK', 'CHALLENGE', 'RESPONSE', 'COMEIN', 'GOAWAY', 'REVOKE']

function judge(gate: LetmeinGate, data: Uint8Array, now = T0, path: Path = HERE): LetmeinVerdict {
  return gate.judge({ ...path, bytes: data }, now)
}

function fromPort(sourcePort: number): Path {
  return { ...HERE, sourcePort }
}

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

describe("the letmein gate's salts", () => {
  it('are noted before the CHALLENGE is made, of every right KNOCK, and of no other', () => {
    const noted: [number, string][] = []
    const salts = {
      note(user: number, salt: Uint8Array) {
        noted.push([user, Buffer.from(salt).toString('hex')])
        return 'new' as const
      },
    }
    const gate = gateWith({}, { salts })
    const [a, b, c] = [fresh(), fresh(), fresh()]
    judge(gate, knockBytes({ salt: a, auth: bytes32(0) }))
    judge(gate, knockBytes({ salt: b, resource: 14 }))
    judge(gate, responseTo(judge(gate, knockBytes({ salt: c, user: 2 }))))
    expect(noted).to.deep.equal([
      [1, Buffer.from(b).toString('hex')],
      [2, Buffer.from(c).toString('hex')],
    ])
  })

  it('keep a recorded KNOCK silent from anywhere, at any time, under any policy, whoever else uses the same salt', () => {
    for (const errorPolicy of POLICIES) {
      const salts = saltMemory()
      const knock = knockBytes()
      expect(word(judge(gateWith({ errorPolicy }, { salts }), knock))).to.equal('CHALLENGE')
      const restarted = gateWith({ errorPolicy }, { salts, challenges: new Challenges(bytes32(4), 5000) })
      for (let port = 1; port <= 100; port++)
        expect(word(judge(restarted, knock, later(port * 60_000), fromPort(port)))).to.equal('silence salt')
      const other = knockBytes({ user: 2, salt: knock.slice(16, 24) })
      expect(word(judge(restarted, other))).to.equal('CHALLENGE')
    }
  })

  it('that cannot be written down mean silence', () => {
    for (const errorPolicy of POLICIES) {
      const gate = gateWith({ errorPolicy }, { salts: { note: () => 'failed' } })
      expect(judge(gate, knockBytes())).to.deep.equal({ kind: 'silence', why: 'salts', user: 1 })
    }
  })
})

describe('a letmein gate that is made anew', () => {
  it('goes on with the exchanges where the challenges are the same', () => {
    const challenges = new Challenges(bytes32(3), 5000)
    const challenge = judge(gateWith({}, { challenges }), knockBytes())
    const response = responseTo(challenge)
    expect(word(judge(gateWith({}, { challenges }), response))).to.equal('request open')
    expect(word(judge(gateWith({}), response))).to.equal('silence response')
  })

  it('says GOAWAY after full-auth where the resource is gone, and nothing where the user is', () => {
    for (const errorPolicy of POLICIES) {
      const challenges = new Challenges(bytes32(3), 5000)
      const response = responseTo(judge(gateWith({}, { challenges }), knockBytes()))
      const without = gateWith({ errorPolicy, resources: [] }, { challenges })
      expect(word(judge(without, response))).to.equal('GOAWAY resource')
      const stranger = gateWith({ errorPolicy, users: [{ id: 2, key: KEYS.get(2)! }] }, { challenges })
      expect(word(judge(stranger, response))).to.equal(`${errorPolicy === 'always' ? 'GOAWAY' : 'silence'} response`)
    }
  })

  it('takes the old key of a user beside the one of today, until its time is over', () => {
    const today = { id: 1, key: bytes32(77) }
    const untilMs = T0.wallMs + 1000
    const gate = gateWith({ users: [today, { id: 1, key: KEYS.get(1)!, untilMs }] })
    const challenge = judge(gate, knockBytes())
    expect(word(judge(gate, responseTo(challenge), later(500)))).to.equal('request open')
    const late = judge(gate, knockBytes(), later(900), fromPort(2))
    expect(word(judge(gate, responseTo(late), later(1000), fromPort(2)))).to.equal('silence response')
    expect(word(judge(gate, knockBytes(), later(1000), fromPort(3)))).to.equal('silence auth')
  })

  it('needs no HMAC but our own', () => {
    const settings = { users: letmeinKeys(), resources: RESOURCES, errorPolicy: 'basic-auth' } as const
    const challenges = new Challenges(bytes32(3), 5000)
    const gate = new LetmeinGate(settings, { challenges, salts: saltMemory(), random: fresh })
    expect(word(judge(gate, responseTo(judge(gate, knockBytes()))))).to.equal('request open')
  })
})

function bytes32(fill: number): Uint8Array {
  return new Uint8Array(32).fill(fill)
}
