import { expect } from 'chai'
import { unhurried } from '../../lib/daemon/unhurried.js'

/** A clock that is moved by hand; a look takes `tookMs`. Gives back when looks began. */
function world(tookMs: number) {
  const looks: number[] = []
  const waiting: { atMs: number; run: () => void }[] = []
  let nowMs = 0
  const ask = unhurried(
    () => {
      looks.push(nowMs)
      nowMs += tookMs
    },
    { now: () => nowMs, later: (ms, run) => void waiting.push({ atMs: nowMs + ms, run }) },
  )
  const until = (endMs: number, each: () => void) => {
    while (nowMs < endMs) {
      each()
      for (const one of waiting.splice(0)) {
        if (one.atMs <= nowMs) one.run()
        else waiting.push(one)
      }
      nowMs++
    }
  }
  return { ask, looks, until }
}

describe('a look at somebody else’s changes', () => {
  it('comes at once after a quiet while', () => {
    const { ask, looks, until } = world(5)
    ask()
    until(1, () => {})
    expect(looks).to.deep.equal([0])
    until(5000, () => {})
    ask()
    until(5010, () => {})
    expect(looks).to.deep.equal([0, 5000])
  })

  it('takes a fifth of the time at most, however many changes there are', () => {
    const { ask, looks, until } = world(20)
    until(10_000, ask)
    expect(looks.length).to.be.within(90, 101)
  })

  it('is never put off by more than 0.2 s, and is made for the last change', () => {
    const { ask, looks, until } = world(1000)
    until(3000, ask)
    expect(looks).to.deep.equal([0, 1200, 2400])
    ask()
    until(20_000, () => {})
    expect(looks).to.deep.equal([0, 1200, 2400, 3600])
  })
})
