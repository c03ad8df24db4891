import { expect } from 'chai'
import fc from 'fast-check'
import { Challenges, challengeLifeMs, PLACES } from '../../lib/gate/challenges.js'
import type { LetmeinGate } from '../../lib/gate/letmein.js'
import type { Path } from '../../lib/gate/verdict.js'
import type { Now } from '../../lib/replay/clock.js'
import { openReplay } from '../../lib/replay/replay.js'
import { encodeSigned } from '../../lib/wire/letmein.js'
import { MemoryDisk } from '../replay/memory-disk.js'
import { BOOT } from '../replay/requests.js'
import {
  fresh,
  gateWith,
  HERE,
  KEYS,
  knockBytes,
  later,
  messageIn,
  responseTo,
  T0,
  TIMEOUT_MS,
  word,
} from '../support/letmein.js'

const SECRET = new Uint8Array(32).fill(9)
const judge = (gate: LetmeinGate, bytes: Uint8Array, now: Now = T0, path: Path = HERE) =>
  gate.judge({ ...path, bytes }, now)

/** Gates that remember which ports have a CHALLENGE, and that remember none. */
for (const places of [PLACES, 0])
  describe(`a challenge of a gate that remembers ${places} exchanges`, () => {
    const gateHere = (secret = SECRET) => gateWith({}, { challenges: new Challenges(secret, TIMEOUT_MS, places) })

    const otherPaths: [string, Partial<Path>][] = [
      ['address', { source: '192.0.2.8' }],
      ['family', { source: '2001:db8::7', destination: '2001:db8::1' }],
      ['port', { sourcePort: 40001 }],
      ['destination', { destination: '192.0.2.2' }],
      ['destination port', { destinationPort: 5801 }],
      ['transport', { transport: 'tcp' }],
    ]
    for (const [what, other] of otherPaths)
      it(`is bound to the ${what} of its KNOCK, and another one's is another`, () => {
        const gate = gateHere()
        const path = { ...HERE, ...other }
        const challenge = judge(gate, knockBytes())
        const response = responseTo(challenge)
        expect(word(judge(gate, response, T0, path))).to.equal('silence response')
        const elsewhere = judge(gate, knockBytes(), T0, path)
        expect(messageIn(elsewhere)!.auth).to.not.deep.equal(messageIn(challenge)!.auth)
        expect(word(judge(gate, response, T0, path))).to.equal('silence response')
        expect(word(judge(gate, response))).to.equal('request open')
      })

    it('is bound to user and resource', () => {
      const gate = gateHere()
      const { auth } = messageIn(judge(gate, knockBytes()))!
      for (const [user, resource] of [
        [2, 10],
        [1, 11],
      ] as const) {
        const signed = { operation: 'RESPONSE' as const, user, resource, salt: fresh() }
        expect(word(judge(gate, encodeSigned(signed, KEYS.get(user)!, auth)))).to.equal('silence response')
      }
    })

    it('is bound to the operation', () => {
      for (const [operation, expected] of [
        ['KNOCK', 'request open'],
        ['REVOKE', 'request revoke'],
      ] as const) {
        const gate = gateHere()
        expect(word(judge(gate, responseTo(judge(gate, knockBytes({ operation })))))).to.equal(expected)
      }
    })

    it('is bound to the secret', () => {
      const challenge = judge(gateHere(), knockBytes())
      const other = gateHere(new Uint8Array(32).fill(8))
      judge(other, knockBytes())
      expect(word(judge(other, responseTo(challenge)))).to.equal('silence response')
    })

    it('is taken for one slot at least and two at most, whatever else is judged meanwhile', () => {
      fc.assert(
        fc.property(fc.nat(8000), fc.nat(12_000), fc.array(fc.nat(20_000)), (begin, wait, others) => {
          const gate = gateHere()
          const events = others.map((ms) => ({ ms, port: ms % 60_000 })).sort((a, b) => a.ms - b.ms)
          const until = (ms: number) => {
            while (events[0] !== undefined && events[0].ms <= ms) {
              const { ms: at, port } = events.shift()!
              judge(gate, knockBytes(), later(at), { ...HERE, sourcePort: port })
            }
          }
          until(begin)
          const challenge = judge(gate, knockBytes(), later(begin))
          if (word(challenge) !== 'CHALLENGE') return
          until(begin + wait)
          const verdict = word(judge(gate, responseTo(challenge), later(begin + wait)))
          if (wait < TIMEOUT_MS) expect(verdict).to.equal('request open')
          if (wait >= challengeLifeMs(TIMEOUT_MS)) expect(verdict).to.equal('silence response')
        }),
        { numRuns: 300 },
      )
    })

    it('is void once the wall clock was set or the machine slept, and the next one counts', () => {
      for (const step of [3_600_000, 1500, -1500, -3_600_000]) {
        const gate = gateHere()
        const response = responseTo(judge(gate, knockBytes()))
        const now = later(100, 100 + step)
        expect(word(judge(gate, response, now))).to.equal('silence response')
        const next = judge(gate, knockBytes(), now)
        const verdict = judge(gate, responseTo(next), now)
        expect(verdict).to.have.nested.property('request.replay.timeMs', now.wallMs)
        expect(word(judge(gate, response, T0)), 'back again').to.equal('silence response')
      }
      const slewed = gateHere()
      const response = responseTo(judge(slewed, knockBytes()))
      expect(word(judge(slewed, response, later(1000, 1400)))).to.equal('request open')
    })

    it('is answered once, whatever clocks and copies do, and the first answer in time is taken', () => {
      const steps = fc.array(
        fc.record({
          ms: fc.nat(4000),
          wallStep: fc.constantFrom(0, 0, 0, 5000, -5000, 100_000, -100_000),
          copies: fc.nat(2),
        }),
        { minLength: 1, maxLength: 12 },
      )
      fc.assert(
        fc.property(steps, (told) => {
          const gate = gateHere()
          const replay = openReplay({
            directory: new MemoryDisk().mount(),
            bootId: BOOT,
            now: T0,
            settings: {
              replayEntries: 100,
              windowMs: Math.max(3000, challengeLifeMs(TIMEOUT_MS)),
              untrustedBelowMs: 0,
              horizonMs: T0.wallMs + 1e9,
              hearing: { wallMs: T0.wallMs - 1000, monoMs: T0.monoMs - 1000 },
            },
          })
          const taken = new Map<string, number>()
          const exchanges: { path: Path; response: Uint8Array }[] = []
          let now = T0
          const answer = ({ path, response }: (typeof exchanges)[number]): string => {
            const verdict = judge(gate, response, now, path)
            if (verdict.kind !== 'request') return word(verdict)
            const id = verdict.request.replay
            const admission = replay.admit(id, now)
            const name = Buffer.from(id.id).toString('hex')
            if (admission === 'fresh') taken.set(name, (taken.get(name) ?? 0) + 1)
            return admission
          }
          for (const [i, { ms, wallStep, copies }] of told.entries()) {
            now = { wallMs: now.wallMs + ms + wallStep, monoMs: now.monoMs + ms }
            replay.tick(now)
            const path = { ...HERE, sourcePort: 1 + i }
            const exchange = { path, response: responseTo(judge(gate, knockBytes(), now, path)) }
            exchanges.push(exchange)
            // Times that the clock has been through before may lie below a floor.
            const admission = answer(exchange)
            if (!told.some((step) => step.wallStep < 0)) expect(admission).to.equal('fresh')
            for (let copy = 0; copy < copies; copy++) for (const known of exchanges) answer(known)
          }
          if (!told.some((step) => step.wallStep < 0)) expect(taken.size).to.equal(told.length)
          for (const count of taken.values()) expect(count).to.equal(1)
        }),
        { numRuns: 200 },
      )
    })
  })

describe('the memory of ports that have a CHALLENGE', () => {
  it('meets a further KNOCK from the same port with GOAWAY in its slot, and with a CHALLENGE in the next', () => {
    const gate = gateWith()
    const first = judge(gate, knockBytes())
    expect(word(judge(gate, knockBytes(), later(4999)))).to.equal('GOAWAY port')
    expect(word(judge(gate, knockBytes(), later(4999), { ...HERE, sourcePort: 1 }))).to.equal('CHALLENGE')
    const next = judge(gate, knockBytes(), later(5000))
    expect(word(next)).to.equal('CHALLENGE')
    expect(messageIn(next)!.auth).to.not.deep.equal(messageIn(first)!.auth)
    expect(word(judge(gate, responseTo(first), later(5001)))).to.equal('request open')
    expect(word(judge(gate, responseTo(next), later(5001)))).to.equal('request open')
  })

  it('lets a port go with the right RESPONSE, which is then no answer to its next CHALLENGE', () => {
    const gate = gateWith()
    const asked = judge(gate, knockBytes())
    const response = responseTo(asked)
    expect(word(judge(gate, responseTo(asked, { user: 2 })))).to.equal('silence response')
    expect(word(judge(gate, knockBytes()))).to.equal('GOAWAY port')
    expect(word(judge(gate, response))).to.equal('request open')
    const next = judge(gate, knockBytes({ operation: 'REVOKE' }))
    expect(word(judge(gate, response))).to.equal('silence response')
    expect(word(judge(gate, responseTo(next)))).to.equal('request revoke')
    const third = judge(gate, knockBytes())
    expect(messageIn(third)!.auth).to.not.deep.equal(messageIn(asked)!.auth)
    expect(word(judge(gate, responseTo(third)))).to.equal('request open')
  })

  it('is bounded: past the bound all exchanges work as before', () => {
    const challenges = new Challenges(SECRET, TIMEOUT_MS, 3)
    const gate = gateWith({}, { challenges })
    const paths = Array.from({ length: 6 }, (_, i) => ({ ...HERE, sourcePort: 1 + i }))
    const asked = paths.map((path) => judge(gate, knockBytes(), T0, path))
    expect(paths.filter((path) => challenges.askedNow(path, T0) !== undefined)).to.have.length(3)
    asked.forEach((challenge, i) => {
      expect(word(judge(gate, responseTo(challenge), T0, paths[i]))).to.equal('request open')
    })
    const again = judge(gate, knockBytes(), T0, paths[5])
    expect(messageIn(again)!.auth).to.deep.equal(messageIn(asked[5]!)!.auth)
  })

  it('refuses secrets and slots that are none', () => {
    expect(() => new Challenges(new Uint8Array(31), 5000)).to.throw(RangeError, 'secret of 31 bytes: expected 32')
    for (const slotMs of [0, -1, Number.NaN])
      expect(() => new Challenges(SECRET, slotMs)).to.throw(RangeError, 'expected more than 0')
  })
})
