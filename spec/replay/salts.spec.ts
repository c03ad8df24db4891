import { expect } from 'chai'
import fc from 'fast-check'
import { ReplayError } from '../../lib/replay/error.js'
import { SALT_FILE } from '../../lib/replay/salt-file.js'
import type { Salts } from '../../lib/replay/salts.js'
import { openOn, PER_USER, saltOf } from './few-salts.js'
import { type Fault, MemoryDisk } from './memory-disk.js'

/** All that was noted of each user, the oldest first, as a list. */
class Naive {
  readonly noted = new Map<number, number[]>()
  readonly #perUser: number

  constructor(perUser = PER_USER) {
    this.#perUser = perUser
  }

  note(user: number, number: number): 'new' | 'seen' {
    const list = this.noted.get(user) ?? []
    this.noted.set(user, list)
    if (list.slice(-this.#perUser).includes(number)) return 'seen'
    list.push(number)
    return 'new'
  }

  last(user: number): number[] {
    return (this.noted.get(user) ?? []).slice(-this.#perUser)
  }
}

/** Asking for what is known changes nothing. */
function expectAllSeen(salts: Salts, naive: Naive, why: string): void {
  for (const user of naive.noted.keys())
    for (const number of naive.last(user))
      expect(salts.note(user, saltOf(number)), `${why}: ${user} ${number}`).to.equal('seen')
}

describe('the salts', () => {
  it('are new once and then seen, the last of each user, over restarts, as a naive list has it', () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 60, arbitrary: fc.record({ user: fc.nat(2), number: fc.nat(120) }) },
        { weight: 1, arbitrary: fc.constant('restart' as const) },
      ),
      { minLength: 300, maxLength: 700 },
    )
    fc.assert(
      fc.property(steps, (told) => {
        const disk = new MemoryDisk()
        const naive = new Naive()
        let salts = openOn(disk.mount())
        for (const step of told) {
          if (step === 'restart') salts = openOn(disk.mount())
          else
            expect(salts.note(step.user, saltOf(step.number)), JSON.stringify(step)).to.equal(
              naive.note(step.user, step.number),
            )
        }
        const { salts: held, fileRecords } = salts.status()
        expect(held).to.equal([...naive.noted.keys()].reduce((sum, user) => sum + naive.last(user).length, 0))
        // Twice what counts, the slack, and what came while it was rewritten; a restart begins that anew.
        if (!told.includes('restart')) expect(fileRecords).to.be.at.most(2 * held + 8 + Math.ceil(held / 5) + 2)
      }),
      { numRuns: 100, endOnFailure: true },
    )
  })

  const userOf = (number: number) => (number % 11 === 0 ? 2 : number % 5 === 0 ? 3 : 1)

  /** Three users, one of them far beyond his places. */
  function story(salts: Salts, naive: Naive, isOver: () => boolean): number | undefined {
    for (let number = 0; number < 220; number++) {
      const user = userOf(number)
      const noted = salts.note(user, saltOf(number))
      if (isOver()) return number
      expect(noted).to.equal('new')
      expect(naive.note(user, number)).to.equal('new')
    }
    return undefined
  }

  it('lose nothing to a kill before or after any system call', () => {
    const few = { perUser: 12 }
    const whole = new MemoryDisk().mount()
    let renames = 0
    whole.fault = (_call, operation) => {
      if (operation === 'rename') renames++
      return undefined
    }
    story(openOn(whole, few), new Naive(), () => false)
    expect(renames).to.be.greaterThan(2)
    let kills = 0
    for (let call = 0; call < whole.calls; call++)
      for (const after of [false, true]) {
        const disk = new MemoryDisk()
        const process = disk.mount()
        process.killAt = { call, after }
        const naive = new Naive(12)
        let underWay: number | undefined
        try {
          underWay = story(openOn(process, few), naive, () => process.isKilled)
        } catch (error) {
          if (!(error instanceof ReplayError)) throw error
        }
        // Nobody is killed after a call that failed: those that look for files that are not there.
        if (!process.isKilled) continue
        kills++
        const where = `call ${call}, ${after ? 'after' : 'before'} it`
        const salts = openOn(disk.mount(), few)
        expect(salts.status().found.why, where).to.equal(undefined)
        // What was under way may have been written or not; now it is.
        if (underWay !== undefined) {
          expect(salts.note(userOf(underWay), saltOf(underWay))).to.be.oneOf(['new', 'seen'])
          naive.note(userOf(underWay), underWay)
        }
        expectAllSeen(salts, naive, where)
        for (let number = 1000; number < 1030; number++) {
          expect(salts.note(1, saltOf(number)), where).to.equal('new')
          naive.note(1, number)
        }
        expectAllSeen(openOn(disk.mount(), few), naive, `${where}, and a restart`)
      }
    expect(kills).to.be.greaterThan(500)
  }).timeout(60_000)

  it('are never called new without being in the file, whatever calls fail, and go on when the disk does', () => {
    const faults = fc.array(
      fc.record({
        from: fc.nat(700),
        count: fc.integer({ min: 1, max: 40 }),
        fault: fc.constantFrom<Fault>('enospc', 'short', 'eio'),
      }),
      { minLength: 1, maxLength: 6 },
    )
    fc.assert(
      fc.property(faults, (told) => {
        const disk = new MemoryDisk()
        const process = disk.mount()
        const salts = openOn(process)
        process.fault = (call, operation) =>
          operation === 'read' ? undefined : told.find(({ from, count }) => call >= from && call < from + count)?.fault
        const naive = new Naive()
        const failed = new Set<number>()
        for (let number = 0; number < 300; number++) {
          const user = number % 2
          const noted = salts.note(user, saltOf(number))
          naive.note(user, number)
          expect(noted).to.be.oneOf(['new', 'failed'])
          if (noted === 'failed') failed.add(number)
          expect(salts.note(user, saltOf(number)), 'once more').to.equal('seen')
        }
        process.fault = () => undefined
        // A partial record of the last failure is undone by the next note.
        expect(salts.note(7, saltOf(1))).to.equal('new')
        naive.note(7, 1)
        expectAllSeen(salts, naive, 'this process')
        const anew = openOn(disk.mount())
        expect(anew.status().found.damaged).to.equal(0)
        for (const user of naive.noted.keys())
          for (const number of naive.last(user))
            if (!failed.has(number)) expect(anew.note(user, saltOf(number)), `${user} ${number}`).to.equal('seen')
      }),
      { numRuns: 100, endOnFailure: true },
    )
  })

  it('say why nothing is new while the disk is full, and that it is over', () => {
    const process = new MemoryDisk().mount()
    const salts = openOn(process)
    process.fault = (_call, operation) => (operation === 'write' ? 'short' : undefined)
    expect(salts.note(1, saltOf(1))).to.equal('failed')
    expect(salts.status().why).to.match(/^salts \/run\/journal: 8 of 16 bytes written: is the disk full\?/)
    process.fault = () => undefined
    expect(salts.note(1, saltOf(2))).to.equal('new')
    expect(salts.status()).to.include({ salts: 2, fileRecords: 1 }).and.not.have.property('why')
  })

  it('go back into a file that somebody removed', () => {
    const disk = new MemoryDisk()
    const process = disk.mount()
    const salts = openOn(process)
    const naive = new Naive()
    story(salts, naive, () => false)
    disk.delete(SALT_FILE)
    // Noticed once it has to be opened: at the latest after something failed.
    process.fault = (_call, operation) => (operation === 'write' ? 'enospc' : undefined)
    salts.note(1, saltOf(5000))
    naive.note(1, 5000)
    process.fault = () => undefined
    for (let number = 6000; number < 6200; number++) salts.note(9, saltOf(number))
    const anew = openOn(disk.mount())
    expectAllSeen(anew, naive, 'anew')
  })

  it('forget users who are gone, on disk as well, and nobody else', () => {
    const disk = new MemoryDisk()
    const salts = openOn(disk.mount())
    for (let number = 0; number < 40; number++) for (const user of [1, 2, 3]) salts.note(user, saltOf(number))
    salts.retain([2, 4])
    expect(salts.status()).to.include({ users: 1, salts: 40 })
    for (let number = 100; number < 160; number++) salts.note(4, saltOf(number))
    const anew = openOn(disk.mount())
    expect(anew.status()).to.include({ users: 2, salts: 80 })
    expect(anew.note(2, saltOf(39))).to.equal('seen')
    expect(anew.note(1, saltOf(39))).to.equal('new')
  })

  it('stay within their bytes, and one who fills them leaves room for others', () => {
    const bytes = 64 * 1024
    const salts = openOn(new MemoryDisk().mount(), { perUser: 1_000_000, bytes })
    for (let number = 0; number < 6000; number++) salts.note(1, saltOf(number))
    const { bytes: taken, salts: held } = salts.status()
    expect(taken).to.be.within(bytes / 4, (bytes * 4) / 5)
    expect(salts.note(1, saltOf(5999)), 'the newest').to.equal('seen')
    for (let number = 0; number < 500; number++) salts.note(2, saltOf(number))
    for (let number = 0; number < 500; number++) expect(salts.note(2, saltOf(number))).to.equal('seen')
    expect(salts.status().salts).to.equal(held + 500)
    for (let user = 10; user < 300; user++) for (let number = 0; number < 20; number++) salts.note(user, saltOf(number))
    expect(salts.status().bytes).to.be.at.most(bytes + 300 * 256)
  })

  it('fail rather than let the file grow for ever where it cannot be rewritten', () => {
    const process = new MemoryDisk().mount()
    const salts = openOn(process, { slackRecords: 1 })
    process.fault = (_call, operation) => (operation === 'create' ? 'eio' : undefined)
    const words = new Set<string>()
    for (let number = 0; number < 1000; number++) words.add(salts.note(1, saltOf(number)))
    expect([...words]).to.deep.equal(['new', 'failed'])
    expect(salts.status().fileRecords).to.be.at.most(4 * PER_USER + 65)
    expect(salts.status().why).to.contain('EIO')
    process.fault = () => undefined
    let number = 2000
    while (salts.note(1, saltOf(number)) === 'failed') expect(number++).to.be.below(2200)
    expect(salts.note(1, saltOf(5000))).to.equal('new')
  })
})
