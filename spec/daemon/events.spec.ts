import { expect } from 'chai'
import { EventRing, MOST_EVENTS } from '../../lib/daemon/events.js'

describe('the ring of events', () => {
  const event = (address: string) => ({ atMs: 0, event: 'opened' as const, message: '', address })

  it('has none at first', () => {
    expect(new EventRing().since(0)).to.deep.equal({ events: [], count: 0 })
  })

  it('gives those above a number in their order', () => {
    const ring = new EventRing()
    for (let i = 1; i <= 5; i++) ring.add(event(`198.18.0.${i}`))
    expect(ring.since(3).events.map(({ number, address }) => [number, address])).to.deep.equal([
      [4, '198.18.0.4'],
      [5, '198.18.0.5'],
    ])
    expect(ring.since(5).events).to.deep.equal([])
    expect(ring.since(99).events).to.deep.equal([])
  })

  it('keeps the last thousand, and says how many there were', () => {
    const ring = new EventRing()
    for (let i = 1; i <= MOST_EVENTS + 7; i++) ring.add(event(String(i)))
    const { events, count } = ring.since(0)
    expect(count).to.equal(MOST_EVENTS + 7)
    expect(events).to.have.length(MOST_EVENTS)
    expect(events[0]!.number).to.equal(8)
    expect(events.at(-1)!.number).to.equal(count)
  })
})
