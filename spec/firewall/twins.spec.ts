import { expect } from 'chai'
import { Twins } from '../../lib/firewall/twins.js'

const knock = { resource: 1, address: '192.0.2.7', user: 2 }

describe('the two datagrams of one knock', () => {
  it('belong together once, and only from the same address, by the same user, for the same resource', () => {
    const twins = new Twins()
    twins.note(knock, 1000)
    expect(twins.take({ ...knock, address: '192.0.2.8' }, 1001)).to.equal(false)
    expect(twins.take({ ...knock, user: 3 }, 1001)).to.equal(false)
    expect(twins.take({ ...knock, resource: 9 }, 1001)).to.equal(false)
    expect(twins.take(knock, 1001)).to.equal(true)
    expect(twins.take(knock, 1001)).to.equal(false)
  })

  it('are two knocks where they are far apart', () => {
    const twins = new Twins()
    twins.note(knock, 1000)
    expect(twins.take(knock, 3000)).to.equal(false)
  })

  it('are forgotten, however many there are', () => {
    const twins = new Twins()
    for (let i = 0; i < 20_000; i++) twins.note({ ...knock, user: i }, 1000)
    expect(twins.take({ ...knock, user: 0 }, 1001)).to.equal(false)
    expect(twins.take({ ...knock, user: 19_999 }, 1001)).to.equal(true)
  })
})
