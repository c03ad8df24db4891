import { expect } from 'chai'
import type { Look, Target } from '../../lib/stealth/look.js'
import { lookAt } from '../../lib/stealth/look-at.js'
import { closedPorts, targetsOf } from '../../lib/stealth/targets.js'

const SHAPES = ['random', 'letmein', 'postern', 'fwknop', 'empty']
const QUESTION = { knockPort: 5800, guarded: [{ protocol: 'tcp', port: 22 }] as const, shapes: SHAPES }
const TARGETS = targetsOf(4, QUESTION, [5801, 20_001, 30_000])

/** A host that sends one stranger this many ICMP messages at once and then one a second, as Linux does. */
function host(look: (target: Target) => Look, burst = 6) {
  let nowMs = 0
  let sentMs = [] as number[]
  let tokens = burst
  return {
    get ms() {
      return nowMs
    },
    /** The most tries that began within a second. */
    get busiest() {
      return Math.max(...sentMs.map((at) => sentMs.filter((other) => other >= at && other < at + 1000).length))
    },
    attempt: async (target: Target) => {
      sentMs = [...sentMs, nowMs]
      const answer = look(target)
      if (answer === 'silent' || target.protocol === 'tcp') return { look: answer }
      if (tokens < 1) return { look: 'silent' as const }
      tokens--
      return { look: answer }
    },
    pause: async (ms: number) => {
      nowMs += ms
      tokens = Math.min(burst, tokens + ms / 1000)
    },
  }
}

describe('looking at a host', () => {
  it('believes no silence that is only the limit of its answers', async () => {
    const seen = await lookAt(
      TARGETS,
      host(() => 'refused'),
    )
    expect(seen.filter(({ look }) => look !== 'refused')).to.deep.equal([])
  })

  it('believes the silence of one port', async () => {
    const seen = await lookAt(
      TARGETS,
      host(({ port, protocol }) => (port === 5800 && protocol === 'udp' ? 'silent' : 'refused')),
    )
    for (const { port, protocol, look } of seen)
      expect(look, `${protocol} ${port}`).to.equal(port === 5800 && protocol === 'udp' ? 'silent' : 'refused')
  })

  it('believes the silence of one shape', async () => {
    const seen = await lookAt(
      TARGETS,
      host(({ role, shape }) => (role === 'knock' && shape === 'letmein' ? 'silent' : 'refused')),
    )
    expect(seen.filter(({ look }) => look === 'silent').map(({ shape }) => shape)).to.deep.equal(['letmein'])
  })

  it('takes one round where a host says nothing at all', async () => {
    const silent = host(() => 'silent')
    await lookAt(TARGETS, silent)
    expect(silent.ms).to.be.below(1_000)
  })

  for (const look of ['silent', 'refused'] as const)
    it(`never tries more than 40 times a second, nor for long (${look})`, async () => {
      const some = host(() => look, 1)
      await lookAt(TARGETS, some)
      expect(some.busiest).to.be.below(40)
      expect(some.ms).to.be.below(30_000)
    })
})

describe('closed ports', () => {
  it('are three, and none of those asked about', () => {
    const guarded = [5801, 20_000].map((port) => ({ protocol: 'tcp' as const, port }))
    let next = 0
    const ports = closedPorts({ ...QUESTION, guarded }, () => (next++ % 5) / 5)
    expect(new Set(ports).size).to.equal(3)
    expect(ports).not.to.include.members([5800])
    for (const { port } of guarded) expect(ports).not.to.include(port)
  })
})
