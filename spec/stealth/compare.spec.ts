import { expect } from 'chai'
import { differences } from '../../lib/stealth/compare.js'
import type { Look, Observation, Target } from '../../lib/stealth/look.js'
import { mendOf } from '../../lib/stealth/mend.js'
import { targetsOf } from '../../lib/stealth/targets.js'

const SHAPES = ['random', 'letmein', 'postern', 'fwknop', 'empty']
const guarded = [
  { protocol: 'tcp', port: 22 },
  { protocol: 'udp', port: 51_820 },
] as const
const TARGETS = targetsOf(6, { knockPort: 5800, guarded, shapes: SHAPES }, [5801, 20_001, 30_000])
const LOOKS = ['silent', 'refused', 'prohibited', 'unreachable'] as const

/** All look alike but these. */
function seen(usual: Look, odd: (target: Target) => Look | undefined = () => undefined): Observation[] {
  return TARGETS.map((target) => ({ ...target, look: odd(target) ?? usual }))
}

describe('what stands out', () => {
  for (const usual of LOOKS)
    it(`is nothing where all is ${usual}`, () => expect(differences(seen(usual))).to.deep.equal([]))

  for (const usual of LOOKS)
    for (const look of [...LOOKS, 'open', 'answered'] as const)
      for (const odd of TARGETS) {
        if (look === usual || odd.role === 'closed') continue
        it(`is ${odd.protocol} ${odd.port} (${odd.shape}), ${look} where closed ports are ${usual}, and can be mended`, () => {
          const found = differences(seen(usual, (target) => (target === odd ? look : undefined)))
          expect(found.map(({ seen: { protocol, port } }) => `${protocol} ${port}`)).to.deep.equal([
            `${odd.protocol} ${odd.port}`,
          ])
          const { why, cure } = mendOf(found[0]!)
          expect(why).to.contain(`${odd.protocol.toUpperCase()} ${odd.port}`)
          expect(cure).not.to.equal('')
        })
      }

  it('is a closed port that is unlike the others, which is told as such', () => {
    const [difference, ...more] = differences(seen('silent', ({ port }) => (port === 20_001 ? 'refused' : undefined)))
    expect(more.map(({ sign }) => sign)).to.deep.equal(['closed-unlike'])
    expect(difference!.sign).to.equal('closed-unlike')
  })

  it('is a detail, where details are seen', () => {
    const detailed = seen('refused').map((one) => ({ ...one, detail: one.role === 'guarded' ? 'TTL 63' : 'TTL 64' }))
    expect(differences(detailed).map(({ sign }) => sign)).to.deep.equal(['guarded', 'guarded'])
  })
})
