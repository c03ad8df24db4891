import { expect } from 'chai'
import { Settling } from '../../lib/client/keepalive-protocol.js'

const OPEN = { isDone: true }
const BY_EXCHANGE = { isDone: true, neededExchange: true }

describe('a keepalive by `auto`', () => {
  it('asks once, knocks by SPA, asks once more when older leases are over, and then stays with SPA', () => {
    const settling = new Settling(30_000)
    expect(settling.next(0, true)).to.equal('auto')
    settling.learn('auto', 0, OPEN)
    for (const ms of [12_000, 24_000]) {
      expect(settling.next(ms, false)).to.equal('spa')
      settling.learn('spa', ms, OPEN)
    }
    expect(settling.next(31_000, false)).to.equal('auto')
    settling.learn('auto', 31_000, OPEN)
    for (const ms of [45_000, 1e9]) expect(settling.next(ms, false)).to.equal('spa')
  })

  it('stays with the exchange where that opened what SPA had left shut', () => {
    const settling = new Settling(30_000)
    settling.next(0, true)
    settling.learn('auto', 0, BY_EXCHANGE)
    for (const ms of [12_000, 50_000, 1e9]) {
      expect(settling.next(ms, false)).to.equal('letmein')
      settling.learn('letmein', ms, OPEN)
    }
  })

  it('finds out about the exchange by the second question, where an older lease hid it from the first', () => {
    const settling = new Settling(30_000)
    settling.next(0, true)
    settling.learn('auto', 0, OPEN)
    settling.next(12_000, false)
    settling.learn('spa', 12_000, OPEN)
    settling.next(31_000, false)
    settling.learn('auto', 31_000, BY_EXCHANGE)
    expect(settling.next(43_000, false)).to.equal('letmein')
  })

  it('asks anew after a failure, and for a new address', () => {
    const settling = new Settling(30_000)
    settling.next(0, true)
    settling.learn('auto', 0, BY_EXCHANGE)
    settling.learn('letmein', 12_000, { isDone: false })
    expect(settling.next(13_000, false)).to.equal('auto')
    settling.learn('auto', 13_000, BY_EXCHANGE)
    expect(settling.next(20_000, false)).to.equal('letmein')
    expect(settling.next(21_000, true)).to.equal('auto')
  })
})
