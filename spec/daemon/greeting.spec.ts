import { expect } from 'chai'
import { stepWatch } from '../../lib/daemon/clock.js'
import { Greeting } from '../../lib/daemon/greeting.js'

const nonce = (fill: number) => new Uint8Array(16).fill(fill)

describe('a listener’s hello', () => {
  it('is answered at once, and once', () => {
    const greeting = new Greeting()
    expect(greeting.take(0, 0)).to.equal(undefined)
    greeting.hello(nonce(1))
    expect(greeting.take(0, 0)).to.deep.equal(nonce(1))
    expect(greeting.take(5_000, 0)).to.equal(undefined)
  })

  it('is answered four times a second, however often it is said: the last who said it', () => {
    const greeting = new Greeting()
    let answers = 0
    for (let at = 0; at < 10_000; at++) {
      greeting.hello(nonce(at & 0xff))
      const to = greeting.take(at, 0)
      if (to === undefined) continue
      answers++
      expect(to).to.deep.equal(nonce(at & 0xff))
    }
    expect(answers).to.equal(40)
  })

  it('waits until what was said before is read', () => {
    const greeting = new Greeting()
    greeting.hello(nonce(1))
    greeting.take(0, 0)
    greeting.hello(nonce(2))
    expect(greeting.take(60_000, 1)).to.equal(undefined)
    expect(greeting.take(60_000, 0)).to.deep.equal(nonce(2))
  })
})

describe('a watch on the clock', () => {
  it('says by how much it was set, once, and nothing of what disciplines it', () => {
    const stepMs = stepWatch({ wallMs: 1_000_000, monoMs: 500 })
    expect(stepMs({ wallMs: 1_001_900, monoMs: 1_500 })).to.equal(0)
    expect(stepMs({ wallMs: 1_061_900, monoMs: 1_500 })).to.equal(60_000)
    expect(stepMs({ wallMs: 1_061_900, monoMs: 1_500 })).to.equal(0)
    expect(stepMs({ wallMs: 961_900, monoMs: 1_500 })).to.equal(-100_000)
  })
})
