import { expect } from 'chai'
import { Challenges } from '../../lib/gate/challenges.js'
import { LetmeinGate } from '../../lib/gate/letmein.js'
import {
  bytes32,
  fresh,
  fromPort,
  gateWith,
  judge,
  KEYS,
  knockBytes,
  later,
  letmeinKeys,
  POLICIES,
  RESOURCES,
  responseTo,
  saltMemory,
  T0,
  word,
} from '../support/letmein.js'

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
