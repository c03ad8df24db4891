import { expect } from 'chai'
import { Ending, LISTENER_ENDS_MS } from '../../lib/daemon/ending.js'
import { settleHorizon } from '../../lib/daemon/past.js'
import { Horizon } from '../../lib/replay/horizon.js'
import { MemoryDisk } from '../replay/memory-disk.js'
import { START_MS, WINDOW_MS } from '../replay/requests.js'
import { listening, NOW, spa } from './listening.js'

describe('the horizon of a run that has ended', () => {
  const began = { horizonMs: START_MS, tokensSlot: 100 }
  const aheadOf = (disk: MemoryDisk) => {
    const horizon = Horizon.open(disk.mount(), began)
    horizon.advance(START_MS + 90_000, 103)
    return horizon
  }

  it('is the greatest time that was accepted, and never below the clock; the tokens’ mark stays', () => {
    for (const [acceptedMs, nowMs, settledMs] of [
      [START_MS + 40_000, START_MS + 30_000, START_MS + 40_000],
      [START_MS + 20_000, START_MS + 30_000.4, START_MS + 30_001],
      [START_MS - 20_000, START_MS - 10_000, START_MS],
      [START_MS + 89_999, START_MS, START_MS + 89_999],
    ] as const) {
      const disk = new MemoryDisk()
      expect(settleHorizon(aheadOf(disk), acceptedMs, nowMs)).to.equal(true)
      disk.cutPower(0, 'lost')
      const { horizonMs, tokensSlot } = Horizon.open(disk.mount(), began)
      expect({ horizonMs, tokensSlot }).to.deep.equal({ horizonMs: settledMs, tokensSlot: 103 })
    }
  })

  it('stays where it is: never higher, nor where the clock or another writer says otherwise', () => {
    const refused = (change: (horizon: Horizon, disk: MemoryDisk) => void, acceptedMs: number, nowMs: number) => {
      const disk = new MemoryDisk()
      const horizon = aheadOf(disk)
      change(horizon, disk)
      const before = disk.snapshot()
      expect(settleHorizon(horizon, acceptedMs, nowMs)).to.equal(false)
      expect(disk.snapshot()).to.deep.equal(before)
    }
    refused(() => {}, START_MS + 90_000, START_MS)
    refused(() => {}, START_MS + 1e9, START_MS)
    refused(() => {}, 1, START_MS + 90_000)
    refused(() => {}, 1, START_MS - 600_000)
    refused((_, disk) => disk.delete('horizon'), 1, START_MS)
    refused((_, disk) => Horizon.open(disk.mount(), began).advance(START_MS + 91_000, 103), 1, START_MS)
    refused((_, disk) => disk.put('horizon', Buffer.from('postern horizon 1\n')), 1, START_MS)
  })

  it('allows nothing more until it is written ahead again', () => {
    const disk = new MemoryDisk()
    const horizon = aheadOf(disk)
    settleHorizon(horizon, 1, START_MS + 30_000)
    expect(horizon.horizonMs).to.equal(START_MS + 30_000)
    horizon.advance(START_MS + 60_000, 100)
    expect(Horizon.open(disk.mount(), began).horizonMs).to.equal(START_MS + 60_000)
  })

  it('follows an operator’s word', () => {
    const disk = new MemoryDisk()
    const horizon = Horizon.open(disk.mount(), { horizonMs: START_MS + 1e10, tokensSlot: 1e6 })
    horizon.trust({ horizonMs: START_MS + WINDOW_MS, tokensSlot: 101 })
    horizon.advance(START_MS + 300_000, 101)
    expect(settleHorizon(horizon, 1, START_MS + 200_000)).to.equal(true)
    expect(horizon.horizonMs).to.equal(START_MS + 200_000)
  })
})

describe('the end of a run', () => {
  function begun(isListening = true) {
    const disk = new MemoryDisk()
    const horizon = Horizon.open(disk.mount(), { horizonMs: START_MS, tokensSlot: 1 })
    horizon.advance(START_MS + 90_000, 1)
    const said: string[] = []
    const timers: { run: () => void; ms: number }[] = []
    const ending = new Ending({
      horizon,
      now: () => ({ wallMs: START_MS + 1_000, monoMs: 1 }),
      log: { warn: (line) => void said.push(line) },
      monitor: { endListening: () => isListening },
      later: (run, ms) => timers.push({ run, ms }),
    })
    let ends = 0
    const begin = () => ending.begin(() => ends++)
    return { disk, horizon, ending, begin, timers, said, ends: () => ends }
  }

  it('waits for the listener’s last word, which counts once and only where it was asked for', () => {
    const { horizon, ending, begin, ends, timers } = begun()
    ending.heard([{ kind: 'ended', acceptedMs: 1 }])
    expect(horizon.horizonMs).to.equal(START_MS + 90_000)
    begin()
    begin()
    ending.heard([{ kind: 'pong', sequence: 1, untrustedBelowMs: 0 }])
    expect(ends()).to.equal(0)
    ending.heard([{ kind: 'ended', acceptedMs: START_MS + 2_000 }])
    ending.heard([{ kind: 'ended', acceptedMs: START_MS + 1 }])
    for (const { run } of timers) run()
    expect(horizon.horizonMs).to.equal(START_MS + 2_000)
    expect(ends()).to.equal(1)
    expect(timers.map(({ ms }) => ms)).to.deep.equal([LISTENER_ENDS_MS])
  })

  it('comes without it too, and leaves the horizon ahead: too late, not known, no listener, a disk that fails', () => {
    const late = begun()
    late.begin()
    late.timers[0]!.run()
    late.ending.heard([{ kind: 'ended', acceptedMs: 1 }])
    const unknown = begun()
    unknown.begin()
    unknown.ending.heard([{ kind: 'ended', acceptedMs: 0 }])
    const none = begun(false)
    none.begin()
    for (const { ends, horizon } of [late, unknown, none]) {
      expect(ends()).to.equal(1)
      expect(horizon.horizonMs).to.equal(START_MS + 90_000)
    }
    const full = new MemoryDisk()
    const mounted = full.mount()
    const said: string[] = []
    const horizon = Horizon.open(mounted, { horizonMs: START_MS, tokensSlot: 1 })
    horizon.advance(START_MS + 90_000, 1)
    mounted.fault = (_call, name) => (name === 'write' ? 'enospc' : undefined)
    const ending = new Ending({
      horizon,
      now: () => ({ wallMs: START_MS, monoMs: 1 }),
      log: { warn: (line) => void said.push(line) },
      monitor: { endListening: () => true },
      later: () => {},
    })
    let isOver = false
    ending.begin(() => {
      isOver = true
    })
    ending.heard([{ kind: 'ended', acceptedMs: 1 }])
    expect(isOver).to.equal(true)
    expect(said.join()).to.match(/^after a reboot knocks may be refused for a while: .*ENOSPC/)
    expect(Horizon.open(full.mount(), { horizonMs: 0, tokensSlot: 0 }).horizonMs).to.equal(START_MS + 90_000)
  })
})

describe('a listener that is told to end', () => {
  it('says the greatest time that it accepted, whatever the policy made of it, and accepts nothing more', async () => {
    const { listener, frames, hear } = await listening()
    hear(spa(1, { timeMs: NOW + 20_000 }))
    hear(spa(2, { timeMs: NOW + 25_000, resource: 0x99 }))
    hear(spa(3, { timeMs: NOW - 5_000 }))
    frames.length = 0
    listener.message({ kind: 'end' })
    expect(frames).to.deep.equal([{ kind: 'ended', acceptedMs: NOW + 25_000 }])
    hear(spa(4, { timeMs: NOW + 1 }))
    listener.message({ kind: 'trust', untrustedBelowMs: NOW, horizonMs: NOW + 60_000 })
    hear(spa(5, { timeMs: NOW + 2 }))
    listener.tick()
    expect(frames).to.have.length(1)
    expect(listener.counters.entries().length).to.be.greaterThan(0)
  })

  it('counts what earlier listeners of this boot accepted, and what was taken for accepted', async () => {
    const disk = new MemoryDisk()
    const first = await listening({}, { disk, untrustedBelowMs: NOW - 60_000 })
    first.listener.message({ kind: 'end' })
    expect(first.frames).to.deep.equal([{ kind: 'ended', acceptedMs: NOW - 60_000 }])
    const second = await listening({}, { disk })
    second.hear(spa(1, { timeMs: NOW + 9_000 }))
    const third = await listening({}, { disk })
    third.listener.message({ kind: 'end' })
    expect(third.frames).to.deep.equal([{ kind: 'ended', acceptedMs: NOW + 9_000 }])
  })

  it('says that it does not know where its journal is not whole and its own', async () => {
    const disk = new MemoryDisk()
    const { listener, frames, hear } = await listening({}, { disk })
    hear(spa(1))
    for (const inode of disk.files.values()) inode.bytes = Buffer.concat([inode.bytes, Buffer.alloc(64)])
    frames.length = 0
    listener.message({ kind: 'end' })
    expect(frames).to.deep.equal([{ kind: 'ended', acceptedMs: 0 }])
  })
})
