import { expect } from 'chai'
import { aheadMs, isUsualHorizon, openHorizon, trustedMarks, widestWindowMs } from '../../lib/daemon/past.js'
import { MemoryDisk } from '../replay/memory-disk.js'

const NOW = 1_800_000_000_000

function config(windowMs: number, maxAgeMs?: number) {
  const fwknop = maxAgeMs === undefined ? {} : { fwknop: { settings: { maxAgeMs } } }
  return { spa: { windowMs }, ...fwknop } as unknown as Parameters<typeof aheadMs>[0]
}

describe('what a start takes for granted', () => {
  it('reaches as far ahead as the widest window or fwknop’s age, and not an hour', () => {
    expect(aheadMs(config(60_000))).to.equal(60_000)
    expect(aheadMs(config(60_000, 10_000))).to.equal(60_000)
    expect(aheadMs(config(60_000, 120_000))).to.equal(120_000)
    expect(aheadMs(config(60_000, 3_600_000))).to.equal(300_000)
  })

  it('covers all that a right clock may have let through, where no file says it or an operator does', () => {
    const { horizon, warning } = openHorizon(new MemoryDisk().mount(), NOW, config(60_000, 120_000))
    expect(horizon.horizonMs).to.equal(NOW + 120_000)
    expect(warning).to.match(/knocks are refused until/)
    expect(trustedMarks(NOW, 120_000).horizonMs).to.equal(NOW + 120_000)
    expect(isUsualHorizon(NOW + 155_000, NOW, 120_000)).to.equal(true)
    expect(isUsualHorizon(NOW + 300_000, NOW, 120_000)).to.equal(false)
  })

  it('is held in the window for as long as the oldest that is accepted', () => {
    const settings = { windowMs: 60_000, heardGroup: 1, recordGroup: 2, users: [], resources: [], people: [] }
    const letmein = { users: [], controlTimeoutMs: 600_000, errorPolicy: 'basic-auth', tcpPorts: [] } as const
    const fwknop = { stanzas: [], resources: [], maxAgeMs: 3_600_000 }
    expect(widestWindowMs(settings)).to.equal(60_000)
    expect(widestWindowMs({ ...settings, letmein }))
      .to.be.above(600_000)
      .and.below(3_600_000)
    expect(widestWindowMs({ ...settings, letmein, fwknop })).to.equal(3_600_000)
  })
})
