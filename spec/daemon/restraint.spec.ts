import { expect } from 'chai'
import { Restraint } from '../../lib/daemon/restraint.js'
import { listening, spa } from './listening.js'

describe('what is told of refusals that are alike', () => {
  it('is twenty at once, then one in five seconds with how many were left out', () => {
    const restraint = new Restraint()
    const told = Array.from({ length: 1000 }, () => restraint.admit('1 replayed', 0))
    expect(told.filter((leftOut) => leftOut !== undefined)).to.deep.equal(Array(20).fill(0))
    expect(restraint.admit('1 replayed', 4_999)).to.equal(undefined)
    expect(restraint.admit('1 replayed', 5_000)).to.equal(981)
    expect(restraint.admit('1 replayed', 5_001)).to.equal(undefined)
  })

  it('leaves other users and other reasons their own', () => {
    const restraint = new Restraint()
    for (let i = 0; i < 100; i++) restraint.admit('1 replayed', 0)
    expect(restraint.admit('2 replayed', 0)).to.equal(0)
    expect(restraint.admit('1 window', 0)).to.equal(0)
  })

  it('remembers a bounded number of them', () => {
    const restraint = new Restraint()
    for (let i = 0; i < 21; i++) restraint.admit('first', 0)
    for (let i = 0; i < 1024; i++) restraint.admit(`other ${i}`, 0)
    expect(restraint.admit('first', 0)).to.equal(0)
  })

  it('reaches the log with the words that belong to it, however long they are, and counters count all', async () => {
    const { hear, lines, moment, listener, frames } = await listening()
    for (let i = 0; i < 100; i++) hear(spa(1))
    expect(lines).to.have.length(20)
    moment.monoMs += 5_000
    hear(spa(1))
    expect(lines[20]).to.match(/it was seen before; 79 more like it were not told$/)
    listener.message({ kind: 'ping', sequence: 1 })
    const counts = frames.flatMap((frame) => (frame.kind === 'counter' ? frame.count : []))
    expect(counts).to.deep.equal([100])
  })
})
