import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  ASLEEP_MARK,
  LONGEST_AWAKE_MS,
  leaveAsleepMark,
  type Mark,
  readAsleepMark,
  removeAsleepMark,
} from '../../lib/daemon/asleep-mark.js'
import { Sleep } from '../../lib/daemon/sleep.js'

describe('the mark that a machine sleeps', () => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-asleep-'))
    path = join(folder, 'run', ASLEEP_MARK)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is there from one word to the other, whatever the folder was, and nothing else', () => {
    expect(readAsleepMark(path, 5)).to.equal('none')
    leaveAsleepMark(path, 1_000.5)
    leaveAsleepMark(path, 2_000)
    expect(readAsleepMark(path, 2_000)).to.equal('asleep')
    expect(readdirSync(join(folder, 'run'))).to.deep.equal([ASLEEP_MARK])
    removeAsleepMark(path)
    removeAsleepMark(path)
    expect(readAsleepMark(path, 2_000)).to.equal('none')
  })

  it('counts no more where the machine was awake with it for long, or is another boot', () => {
    leaveAsleepMark(path, 5_000_000)
    expect(readAsleepMark(path, 5_000_000 + LONGEST_AWAKE_MS)).to.equal('asleep')
    expect(readAsleepMark(path, 5_000_001 + LONGEST_AWAKE_MS)).to.equal('overdue')
    expect(readAsleepMark(path, 20_000)).to.equal('overdue')
  })

  it('counts where nobody can tell what it says', () => {
    leaveAsleepMark(path, 1)
    writeFileSync(path, 'soon')
    expect(readAsleepMark(path, 1e9)).to.equal('asleep')
    rmSync(path)
    symlinkSync('/etc/hostname', path)
    expect(readAsleepMark(path, 1e9)).to.equal('asleep')
  })
})

describe('the monitor of a machine that goes to sleep', () => {
  function world() {
    const state = { mark: 'none' as Mark, refuses: false }
    const done: string[] = []
    const log = {
      info: (line: string) => void done.push(`info ${line}`),
      warn: (line: string) => void done.push(`warn ${line}`),
      error: (line: string) => void done.push(`error ${line}`),
    }
    const manager = {
      dropTokens: () => {
        if (state.refuses) throw new Error('busy')
        done.push('tokens are out')
      },
    }
    const roller = { tokensWereLost: () => void done.push('the roller knows') }
    const sleep = new Sleep({ mark: () => state.mark, manager, log })
    const saidBy = (act: () => unknown) => {
      done.length = 0
      return [act(), ...done]
    }
    return { state, sleep, roller, saidBy }
  }
  const SLEEPS = 'info the machine goes to sleep: no instant token is in the kernel until it is awake (posternd wake)'

  it('takes tokens out once, with the word or with the next look, and lets none in until the other word', () => {
    const { state, sleep, roller, saidBy } = world()
    expect(saidBy(() => sleep.look(roller))).to.deep.equal(['unchanged'])
    state.mark = 'asleep'
    expect(sleep.holdsTokens(), 'ahead of the word').to.equal(true)
    expect(saidBy(() => sleep.look(roller))).to.deep.equal(['unchanged', SLEEPS, 'the roller knows', 'tokens are out'])
    expect(saidBy(() => sleep.follow(roller))).to.deep.equal(['unchanged'])
    expect(sleep.isAsleep).to.equal(true)
    state.mark = 'none'
    expect(saidBy(() => sleep.follow(roller))).to.deep.equal([
      'woke',
      'info the machine is awake: knocks made before now are refused, instant ones open again within a minute',
    ])
    expect([sleep.isAsleep, sleep.holdsTokens()]).to.deep.equal([false, false])
    state.mark = 'asleep'
    expect(
      saidBy(() => sleep.look(roller)),
      'each time',
    ).to.include('tokens are out')
  })

  it('says no to the word where the firewall refuses, and tries again', () => {
    const { state, sleep, roller, saidBy } = world()
    Object.assign(state, { mark: 'asleep', refuses: true })
    expect(() => sleep.look(roller)).to.throw('busy')
    expect(saidBy(() => sleep.follow(roller))).to.deep.equal([
      'unchanged',
      'the roller knows',
      'error instant tokens could not be taken out before the sleep, again soon: busy',
    ])
    state.refuses = false
    expect(saidBy(() => sleep.follow(roller))).to.deep.equal(['unchanged', 'the roller knows', 'tokens are out'])
  })

  it('does not wait for ever for the word that it is awake', () => {
    const { state, sleep, roller, saidBy } = world()
    state.mark = 'asleep'
    sleep.look(roller)
    state.mark = 'overdue'
    expect(saidBy(() => sleep.follow(roller))).to.deep.equal([
      'woke',
      'warn nobody said within 10 min that the machine is awake (posternd wake): instant knocks go on',
    ])
    expect(sleep.holdsTokens()).to.equal(false)
    expect(saidBy(() => sleep.follow(roller))).to.deep.equal(['unchanged'])
  })
})
