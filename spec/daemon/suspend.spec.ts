import { expect } from 'chai'
import { sleepless, suspendWatch } from '../../lib/daemon/suspend.js'

describe('a machine that sleeps', () => {
  it('slept for what the clock that goes on has gone on meanwhile; less than a second is the clocks’ grain', () => {
    let [mono, boot] = [1_000, 501_000]
    const slept = suspendWatch(
      () => mono,
      () => boot,
    )
    expect(slept()).to.equal(0)
    mono += 5_000
    boot += 5_900
    expect(slept()).to.equal(0)
    boot += 60_000
    expect(slept()).to.equal(60_900)
    expect(slept()).to.equal(0)
  })

  it('shortens leases by all of it, once; where the firewall refuses, with a later look', () => {
    const said: string[] = []
    const log = {
      warn: (line: string) => void said.push(`warn ${line}`),
      error: (line: string) => void said.push(`error ${line}`),
    }
    const sleeps = [0, 60_000, 0, 5_000, 0, 0]
    const shortened: number[] = []
    let refuses = true
    const makeUp = sleepless(
      () => sleeps.shift()!,
      {
        afterSuspend: (ms) => {
          if (refuses) throw new Error('no-set')
          shortened.push(ms)
        },
      },
      log,
    )
    makeUp()
    expect(said).to.deep.equal([])
    makeUp()
    makeUp()
    refuses = false
    makeUp()
    makeUp()
    expect(shortened).to.deep.equal([65_000])
    expect(said).to.deep.equal([
      'warn the machine slept for 60 s: leases end as if it had not',
      'error leases could not be shortened by the 60 s slept, again soon: no-set',
      'error leases could not be shortened by the 60 s slept, again soon: no-set',
      'warn the machine slept for 5 s: leases end as if it had not',
    ])
  })
})
