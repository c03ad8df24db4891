import { expect } from 'chai'
import { fuzzFwknop } from '../../scripts/fuzzers/fwknop.js'
import { NOW, validPackets } from '../../scripts/fuzzers/fwknop-packets.js'

describe('the fwknop gate and changed packets', () => {
  it('has an answer to every valid one that they are made of', () => {
    const way = { source: '192.0.2.7', sourcePort: 40000, destination: '192.0.2.1', destinationPort: 62201 }
    const kinds = validPackets().map(({ gate, wire }) => {
      const verdict = gate.judge({ bytes: wire, ...way }, NOW)
      return verdict.kind === 'silence' ? verdict.why : verdict.kind
    })
    expect(new Set(kinds)).to.deep.equal(new Set(['command', 'requests', 'nat']))
    expect(kinds.filter((kind) => kind === 'requests')).to.have.length(2 * 6 * 8)
  })

  it('never throws at 20,000 of them, and takes none that was changed on its way for another one', () => {
    const { counts, faults } = fuzzFwknop(20_000, 20_000, () => 0)
    expect(faults).to.deep.equal([])
    expect([...counts.values()].reduce((sum, count) => sum + count)).to.equal(20_000)
    // Changes that reach no further than the first check would show nothing.
    for (const name of ['requests', 'length', 'alphabet', 'prefix', 'hmac', 'cipher', 'text', 'digest', 'fields'])
      expect(counts.get(name), name).to.be.above(0)
    for (const field of ['user', 'time', 'version', 'type', 'message', 'nat', 'timeout'])
      expect(counts.get(`${field}-field`), field).to.be.above(0)
  }).timeout(120_000)
})
