import { expect } from 'chai'
import { LIFE_MS_MAX } from '../../lib/replay/replay.js'
import { MemoryDisk } from './memory-disk.js'
import { openAt } from './open-at.js'
import { request, START_MS, WINDOW_MS } from './requests.js'

describe('the replay window as the listener uses it', () => {
  it('refuses in its order, with a word for each, and counts them', () => {
    const hearing = { wallMs: START_MS - 5_000, monoMs: 0 }
    const now = { wallMs: START_MS, monoMs: 5_000 }
    const replay = openAt(new MemoryDisk().mount(), now, {
      hearing,
      untrustedBelowMs: START_MS - 2_000,
      horizonMs: START_MS + 1_000,
    })
    const fresh = request(1, START_MS)
    const cases = [
      [{ ...fresh, id: new Uint8Array(33) }, 'malformed'],
      [{ ...fresh, id: new Uint8Array(0) }, 'malformed'],
      [{ ...fresh, timeMs: Number.NaN }, 'malformed'],
      [{ ...fresh, timeMs: -1 }, 'malformed'],
      [{ ...fresh, timeMs: START_MS + 0.5 }, 'malformed'],
      [{ ...fresh, user: 2 ** 32 }, 'malformed'],
      [{ ...fresh, expiresMs: START_MS + LIFE_MS_MAX + 1 }, 'malformed'],
      [request(1, START_MS - WINDOW_MS - 1), 'window'],
      [request(1, START_MS + 1_001), 'horizon'],
      [request(1, START_MS - 2_000), 'untrusted'],
      [fresh, 'fresh'],
      [fresh, 'replayed'],
      [{ ...fresh, user: 2 }, 'fresh'],
    ] as const
    for (const [id, admission] of cases) expect(replay.admit(id, now), JSON.stringify(id)).to.equal(admission)
    const { accepted, refused, trusted, why, entries } = replay.status()
    expect({ accepted, trusted, entries }).to.deep.equal({ accepted: 2, trusted: false, entries: 2 })
    expect(refused).to.include({ malformed: 7, window: 1, horizon: 1, untrusted: 1, replayed: 1, unheard: 0 })
    expect(why).to.equal('journal /run/journal: there is none')
  })

  it('refuses what was made before it heard, also when a dead clock is set after the start', () => {
    const replay = openAt(
      new MemoryDisk().mount(),
      { wallMs: 0, monoMs: 1_000 },
      { hearing: { wallMs: 0, monoMs: 1_000 } },
    )
    const set = { wallMs: START_MS, monoMs: 11_000 }
    expect(replay.admit(request(1, START_MS - 1), set)).to.equal('unheard')
    expect(replay.admit(request(2, START_MS), set)).to.equal('fresh')
  })

  it('holds what answers this run against no time of another’s, and takes it once', () => {
    const now = { wallMs: START_MS, monoMs: 5_000 }
    const replay = openAt(new MemoryDisk().mount(), now, {
      hearing: now,
      untrustedBelowMs: START_MS + 600_000,
      horizonMs: START_MS - 600_000,
    })
    const records = replay.status().journalRecords
    const own = { ...request(1, START_MS - 1), isOfThisRun: true } as const
    expect(replay.admit(own, now)).to.equal('fresh')
    expect(replay.admit(own, now)).to.equal('replayed')
    expect(replay.admit({ ...own, user: 2, timeMs: START_MS - WINDOW_MS - 1, expiresMs: 0 }, now)).to.equal('window')
    expect(replay.status()).to.include({ entries: 1, journalRecords: records })
  })

  it('refuses what was made while the machine slept', () => {
    const hearing = { wallMs: START_MS, monoMs: 0 }
    const replay = openAt(new MemoryDisk().mount(), hearing, { hearing })
    const awake = { wallMs: START_MS + 600_000, monoMs: 1_000 }
    expect(replay.admit(request(1, START_MS + 599_999), awake)).to.equal('unheard')
    expect(replay.admit(request(2, START_MS + 600_000), awake)).to.equal('fresh')
  })

  it('refuses what was made while the machine slept also after it had been up for longer than it slept', () => {
    const hearing = { wallMs: START_MS, monoMs: 0 }
    const horizonMs = START_MS + 10 ** 9
    const replay = openAt(new MemoryDisk().mount(), hearing, { hearing, horizonMs })
    const asleepAt = { wallMs: START_MS + 864_000_000, monoMs: 864_000_000 }
    for (let days = 0; days <= 10; days++) {
      replay.tick({ wallMs: START_MS + days * 86_400_000, monoMs: days * 86_400_000 })
    }
    const awake = { wallMs: asleepAt.wallMs + 28_800_000, monoMs: asleepAt.monoMs + 10 }
    expect(replay.admit(request(1, awake.wallMs - 30), awake)).to.equal('unheard')
    expect(replay.admit(request(2, awake.wallMs), awake)).to.equal('fresh')
  })

  it('refuses what was made before a gap in hearing ended', () => {
    const now = { wallMs: START_MS, monoMs: 1_000 }
    const replay = openAt(new MemoryDisk().mount(), { wallMs: START_MS - 5_000, monoMs: 0 })
    replay.heardAgain(now)
    expect(replay.admit(request(1, START_MS - 1), now)).to.equal('unheard')
    expect(replay.admit(request(2, START_MS), now)).to.equal('fresh')
  })

  it('accepts only up to the horizon, and further when that was written', () => {
    const now = { wallMs: START_MS, monoMs: 1_000 }
    const replay = openAt(new MemoryDisk().mount(), now, { horizonMs: START_MS + 10 })
    expect(replay.admit(request(1, START_MS + 11), now)).to.equal('horizon')
    replay.setHorizon(START_MS + 20)
    replay.setHorizon(START_MS)
    expect(replay.admit(request(1, START_MS + 11), now)).to.equal('fresh')
  })

  it('burns a request that the journal could not take', () => {
    const now = { wallMs: START_MS, monoMs: 1_000 }
    const process = new MemoryDisk().mount()
    const replay = openAt(process, now)
    process.fault = (_call, operation) => (operation === 'write' ? 'enospc' : undefined)
    expect(replay.admit(request(1, START_MS), now)).to.equal('journal')
    expect(replay.status()).to.include({ journal: 'failing', journalWhy: 'ENOSPC: write' })
    process.fault = () => undefined
    expect(replay.admit(request(1, START_MS), now)).to.equal('replayed')
    expect(replay.admit(request(2, START_MS), now)).to.equal('fresh')
    expect(replay.status()).to.include({ journal: 'ready' })
  })

  it('waits where no journal can be begun, refuses meanwhile, and begins as soon as it can', () => {
    const process = new MemoryDisk().mount()
    process.fault = (_call, operation) => (operation === 'create' ? 'enospc' : undefined)
    const replay = openAt(process, { wallMs: START_MS, monoMs: 1_000 })
    expect(replay.status().journal).to.equal('waiting')
    expect(replay.admit(request(1, START_MS), { wallMs: START_MS, monoMs: 1_500 })).to.equal('journal')
    process.fault = () => undefined
    expect(replay.admit(request(2, START_MS), { wallMs: START_MS, monoMs: 2_500 })).to.equal('fresh')
  })

  it('gets its room back where its own journal filled the disk, once all in it has expired', () => {
    const disk = new MemoryDisk()
    const process = disk.mount()
    const replay = openAt(process, { wallMs: START_MS, monoMs: 1_000 })
    const room = 64 * 5
    process.fault = (_call, operation) => {
      const used = [...disk.files.values()].reduce((sum, file) => sum + file.bytes.length, 0)
      return used >= room && ['write', 'create'].includes(operation) ? 'enospc' : undefined
    }
    let [wallMs, monoMs] = [START_MS, 1_000]
    let accepted = 0
    for (let second = 0; second < 600; second++) {
      wallMs += 1_000
      monoMs += 1_000
      if (replay.admit(request(second, wallMs), { wallMs, monoMs }) === 'fresh') accepted++
    }
    expect(accepted).to.be.within(20, 60)
    // Begun anew, the journal still knows up to where it once accepted, should the clock be put back.
    const next = openAt(disk.mount(), { wallMs: START_MS, monoMs })
    expect(next.status().trusted).to.equal(true)
    for (let second = 0; second < 400; second++) {
      expect(next.admit(request(second, START_MS + (second + 1) * 1_000), { wallMs: START_MS, monoMs })).to.equal(
        'floor',
      )
    }
  })

  describe('when the operator trusts the clock', () => {
    const wrong = { wallMs: START_MS + 1e9, monoMs: 100_000 }
    const right = { wallMs: START_MS, monoMs: 300_000 }

    it('accepts again by the right clock, also after a restart, but nothing that the window holds', () => {
      const disk = new MemoryDisk()
      const replay = openAt(disk.mount(), wrong, { horizonMs: wrong.wallMs + 100_000 })
      for (let number = 0; number < 30; number++) replay.admit(request(number, wrong.wallMs + number), wrong)
      expect(replay.admit(request(50, START_MS + 30), right)).to.equal('fresh')
      replay.trust(START_MS + 20, START_MS + 100_000, right)
      expect(replay.admit(request(51, START_MS + 20), right)).to.equal('untrusted')
      expect(replay.admit(request(52, START_MS + 21), right)).to.equal('fresh')
      const next = openAt(disk.mount(), right, { horizonMs: wrong.wallMs + 100_000 })
      for (const { replayer, now } of [
        { replayer: replay, now: right },
        { replayer: next, now: right },
      ]) {
        expect(replayer.status().journal).to.equal('ready')
        expect(replayer.admit(request(50, START_MS + 30), now)).to.equal('replayed')
        expect(replayer.admit(request(52, START_MS + 21), now)).to.equal('replayed')
        replayer.setHorizon(wrong.wallMs + 100_000)
        expect(replayer.admit(request(3, wrong.wallMs + 3), { ...wrong, monoMs: 400_000 })).to.equal('replayed')
      }
      expect(next.status().trusted).to.equal(true)
    })

    it('loses nothing to a kill at any system call', () => {
      let calls = 1
      for (let call = 0; call < calls; call++) {
        for (const after of [false, true]) {
          const disk = new MemoryDisk()
          const process = disk.mount()
          const replay = openAt(process, right)
          for (let number = 0; number < 20; number++) {
            expect(replay.admit(request(number, START_MS + number), right)).to.equal('fresh')
          }
          const from = process.calls
          process.killAt = { call: from + call, after }
          replay.trust(START_MS - 1, START_MS + 100_000, right)
          if (!process.isKilled) calls = process.calls - from
          else calls = Math.max(calls, call + 2)
          const next = openAt(disk.mount(), right)
          if (!next.status().trusted) continue
          for (let number = 0; number < 20; number++) {
            expect(next.admit(request(number, START_MS + number), right), `call ${call}`).to.equal('replayed')
          }
        }
      }
      expect(calls).to.be.greaterThan(20)
    })
  })
})
