import { expect } from 'chai'
import type { Now } from '../../lib/replay/clock.js'
import type { Directory } from '../../lib/replay/directory.js'
import { ReplayError } from '../../lib/replay/error.js'
import type { Entry } from '../../lib/replay/extent.js'
import { Journal } from '../../lib/replay/journal.js'
import { loadJournal } from '../../lib/replay/load.js'
import { MemoryDisk, type MountedDisk } from './memory-disk.js'
import { BOOT, idOf, START_MS, WINDOW_MS } from './requests.js'

const SEGMENT_RECORDS = 6
const FLOOR_MS = START_MS - 1_000_000

function at(elapsedMs: number): Now {
  return { wallMs: START_MS + elapsedMs, monoMs: 5_000 + elapsedMs }
}

function entry(number: number, now: Now): Entry {
  const expiresMs = now.wallMs + WINDOW_MS
  return { user: 1, id: idOf(number), timeMs: now.wallMs, expiresMs, expiresMonoMs: now.monoMs + WINDOW_MS }
}

function place(directory: Directory, limit = 1000) {
  return { directory, bootId: BOOT, limit, segmentRecords: SEGMENT_RECORDS }
}

function load(directory: Directory, now: Now, bootId = BOOT) {
  const ids: number[] = []
  const loaded = loadJournal(directory, bootId, now, ({ id }) => ids.push(Buffer.from(id).readUInt32BE(20)))
  return { loaded, ids }
}

function why(disk: MemoryDisk, now: Now, bootId = BOOT): string {
  const { loaded } = load(disk.mount(), now, bootId)
  return loaded.trusted ? 'trusted' : loaded.why
}

/** Twenty entries, one every 7 s, in segments of at most four; what has expired is deleted on the way. */
function story(directory: MountedDisk): { accepted: Map<number, Now>; now: Now } {
  const told = { accepted: new Map<number, Now>(), now: at(0) }
  try {
    const journal = Journal.begin(place(directory), FLOOR_MS, at(0))
    for (let number = 0; number < 20 && !directory.isKilled; number++) {
      told.now = at(number * 7_000)
      journal.retire(told.now)
      if (journal.append(entry(number, told.now), told.now)) told.accepted.set(number, told.now)
    }
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error
  }
  return told
}

function storyDisk(): MemoryDisk {
  const disk = new MemoryDisk()
  story(disk.mount())
  return disk
}

function callsOfStory(): number {
  const directory = new MemoryDisk().mount()
  story(directory)
  expect(directory.calls).to.be.greaterThan(60)
  return directory.calls
}

const END = at(19 * 7_000)

describe('the journal', () => {
  it('gives back what was written, and the greatest time of what it deleted', () => {
    const { loaded, ids } = load(storyDisk().mount(), END)
    if (!loaded.trusted) throw new Error(loaded.why)
    const first = Math.min(...ids)
    expect([...ids].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 20 - first }, (_, i) => first + i))
    expect(first).to.be.within(4, 11)
    expect(loaded.floorMs).to.equal(at((first - 1) * 7_000).wallMs)
  })

  it('is complete or not trusted after a kill before or after any system call', () => {
    const calls = callsOfStory()
    let untrusted = 0
    for (let call = 0; call < calls; call++) {
      for (const after of [false, true]) {
        const disk = new MemoryDisk()
        const process = disk.mount()
        process.killAt = { call, after }
        const { accepted, now } = story(process)
        const { loaded, ids } = load(disk.mount(), now)
        if (!loaded.trusted) {
          untrusted++
          expect(accepted.size, `call ${call}: ${loaded.why}`).to.equal(0)
          continue
        }
        for (const [number, { wallMs }] of accepted) {
          const isKnown = ids.includes(number) || wallMs <= loaded.floorMs
          expect(isKnown, `call ${call}, ${after ? 'after' : 'before'} it: entry ${number} is lost`).to.equal(true)
        }
      }
    }
    expect(untrusted).to.be.within(1, 20)
  })

  it('goes on after such a kill, and loses nothing over the next one', () => {
    const calls = callsOfStory()
    for (let call = 0; call < calls; call++) {
      const disk = new MemoryDisk()
      const process = disk.mount()
      process.killAt = { call, after: true }
      const { now } = story(process)
      const first = load(disk.mount(), now)
      const next = disk.mount()
      const journal = first.loaded.trusted
        ? Journal.resume(place(next), first.loaded.segments)
        : Journal.begin(place(next), now.wallMs + WINDOW_MS, now)
      for (let number = 100; number < 112; number++) {
        expect(journal.append(entry(number, now), now), `${call}: ${journal.why}`).to.equal(true)
      }
      const second = load(disk.mount(), now)
      expect(second.loaded.trusted, `call ${call}`).to.equal(true)
      expect(second.ids).to.include.members([...first.ids, 100, 105, 111])
    }
  })

  it('is not trusted when any byte of a needed file is another, or no file is worse for it', () => {
    const disk = storyDisk()
    const files = disk.snapshot()
    const right = load(disk.mount(), END)
    for (const [name, bytes] of files) {
      for (let at = 0; at < bytes.length; at++) {
        const other = Buffer.from(bytes)
        other[at]! ^= 1 << (at % 8)
        disk.restore(new Map(files).set(name, other))
        const found = load(disk.mount(), END)
        if (found.loaded.trusted) expect([name, at, found]).to.deep.equal([name, at, right])
        else expect(found.loaded.why).to.contain('journal-')
      }
    }
  })

  it('is not trusted when any needed file is gone, and never when the last one is', () => {
    const disk = storyDisk()
    const files = disk.snapshot()
    expect(files.size).to.be.within(3, 6)
    for (const name of files.keys()) {
      const left = new Map(files)
      left.delete(name)
      disk.restore(left)
      expect(why(disk, END), name).to.match(/missing/)
    }
    disk.restore(new Map())
    expect(why(disk, END)).to.contain('there is none')
  })

  it('is not trusted when a file is cut inside a record', () => {
    const disk = storyDisk()
    const files = disk.snapshot()
    for (const [name, bytes] of files) {
      for (let length = 0; length < bytes.length; length++) {
        if (length % 64 === 0 && length > 0) continue
        disk.restore(new Map(files).set(name, bytes.subarray(0, length)))
        expect(why(disk, END), `${name} of ${length} bytes`).to.contain('expected whole records')
      }
    }
  })

  it('is not trusted when whole records are cut off a needed file, but for the last file, which nothing counts', () => {
    const disk = storyDisk()
    const files = disk.snapshot()
    const names = [...files.keys()].sort((a, b) => Number(a.slice(8)) - Number(b.slice(8)))
    for (const name of names.slice(0, -1)) {
      const bytes = files.get(name)!
      for (let length = 64; length < bytes.length - 64; length += 64) {
        disk.restore(new Map(files).set(name, bytes.subarray(0, length)))
        expect(why(disk, END), `${name} of ${length} bytes`).to.contain('its successor counted')
      }
    }
  })

  it("is not trusted when a file is another journal's of the same number and length", () => {
    const disk = storyDisk()
    const files = disk.snapshot()
    const other = new MemoryDisk()
    const journal = Journal.begin(place(other.mount()), FLOOR_MS - 1, at(0))
    for (let number = 0; number < 20; number++)
      journal.append(entry(50 + number, at(number * 7_000)), at(number * 7_000))
    const names = [...files.keys()].sort((a, b) => Number(a.slice(8)) - Number(b.slice(8)))
    for (const name of names.slice(0, -1)) {
      expect(other.files.get(name)!.bytes).to.have.length(files.get(name)!.length)
      disk.restore(new Map(files).set(name, other.files.get(name)!.bytes))
      expect(why(disk, END), name).to.contain('is not the one')
    }
  })

  it('is not trusted in another boot, nor by a monotonic clock that is younger than it', () => {
    const disk = storyDisk()
    expect(why(disk, END, new Uint8Array(16))).to.contain('another boot')
    expect(why(disk, { wallMs: END.wallMs, monoMs: 5_000 })).to.contain('monotonic')
    expect(why(disk, END)).to.equal('trusted')
  })

  it('is not trusted where a deleted file had not expired by a clock that was put back', () => {
    expect(why(storyDisk(), { wallMs: START_MS, monoMs: END.monoMs })).to.contain('missing')
  })

  it('needs no more than its last header once all has expired, and that says the floor', () => {
    const { loaded } = load(storyDisk().mount(), at(1_000_000))
    expect(loaded.trusted && loaded.segments.length).to.equal(1)
    expect(loaded.trusted && loaded.floorMs).to.be.greaterThan(START_MS)
  })

  for (const fault of ['enospc', 'short', 'eio'] as const) {
    it(`refuses while writes fail (${fault}), goes on when they do not, and never loses what it took`, () => {
      const calls = callsOfStory()
      for (let from = 0; from < calls; from++) {
        for (const length of [1, 3, 12]) {
          const disk = new MemoryDisk()
          const process = disk.mount()
          process.fault = (call, operation) =>
            call >= from && call < from + length && ['write', 'create', 'link'].includes(operation) ? fault : undefined
          const { accepted } = story(process)
          const { loaded, ids } = load(disk.mount(), END)
          if (!loaded.trusted) {
            expect(accepted.size, `${from}: ${loaded.why}`).to.equal(0)
            continue
          }
          if (from + length < process.calls - 4) expect(accepted.has(19), `${from}: the last`).to.equal(true)
          for (const [number, { wallMs }] of accepted) {
            expect(ids.includes(number) || wallMs <= loaded.floorMs, `${from}: ${number} is lost`).to.equal(true)
          }
        }
      }
    })
  }

  it('is dead when part of a record cannot be taken back', () => {
    const disk = new MemoryDisk()
    const process = disk.mount()
    const journal = Journal.begin(place(process), FLOOR_MS, at(0))
    process.fault = (_call, operation) =>
      operation === 'write' ? 'short' : operation === 'truncate' ? 'eio' : undefined
    expect(journal.append(entry(1, at(0)), at(0))).to.equal(false)
    process.fault = () => undefined
    expect(journal.append(entry(2, at(0)), at(0))).to.equal(false)
    expect(journal.state).to.equal('dead')
    expect(why(disk, at(0))).to.contain('expected whole records')
  })

  it('takes nothing more once its file was deleted or cut under it', () => {
    for (const harm of ['deleted', 'cut'] as const) {
      const disk = new MemoryDisk()
      const journal = Journal.begin(place(disk.mount()), FLOOR_MS, at(0))
      expect(journal.append(entry(1, at(0)), at(0))).to.equal(true)
      for (const file of disk.files.values()) {
        if (harm === 'deleted') file.names = 0
        else file.bytes = file.bytes.subarray(0, 64)
      }
      expect(journal.append(entry(2, at(0)), at(0))).to.equal(false)
      expect(journal.state).to.equal('dead')
    }
  })

  it('never grows past its limit, and has room again when things expire', () => {
    const disk = new MemoryDisk()
    const journal = Journal.begin(place(disk.mount(), 20), FLOOR_MS, at(0))
    let taken = 0
    for (let number = 0; number < 100; number++) if (journal.append(entry(number, at(0)), at(0))) taken++
    expect(taken).to.be.within(14, 19)
    expect(journal.records).to.be.at.most(21)
    expect(journal.why).to.contain('as large')
    const later = at(WINDOW_MS + 1)
    journal.retire(later)
    expect(journal.append(entry(200, later), later)).to.equal(true)
    expect(journal.why).to.equal(undefined)
  })
})
