import { execFileSync } from 'node:child_process'
import fs, { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import { hasBootMark } from '../../lib/daemon/boot-mark.js'
import { gateInstead, keepGate, raiseLastGate } from '../../lib/daemon/last-gate.js'
import { forgetTrial, readTrial, trialInForce, writeTrial } from '../../lib/daemon/trial.js'
import type { Nft } from '../../lib/firewall/nft.js'
import type { Kernel } from '../../lib/firewall/types.js'

/** What a monitor that was taken over may leave for root, who comes at boot, ahead of the network. */
const TRAPS: readonly (readonly [title: string, lay: (path: string) => void])[] = [
  ['a pipe that nobody writes', (path) => execFileSync('mkfifo', [path])],
  ['a file without an end', (path) => symlinkSync('/dev/zero', path)],
  ['a folder', (path) => mkdirSync(path)],
]

describe('what root reads in the monitor’s folders', () => {
  let state: string
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'state-'))
    mkdirSync(join(state, 'monitor'))
  })
  afterEach(() => rmSync(state, { recursive: true }))

  for (const [title, lay] of TRAPS)
    it(`does not hold up the boot where it is ${title}`, () => {
      for (const name of ['trial', 'boot', 'gate.nft']) lay(join(state, 'monitor', name))
      expect(readTrial(state)).to.equal(undefined)
      expect(trialInForce(state, 'a1', 0)).to.equal(undefined)
      expect(hasBootMark(join(state, 'monitor/boot'), 'a1')).to.equal(false)
      const raise = () => raiseLastGate(join(state, 'monitor'), {} as Nft, {} as Kernel, { keep: false })
      expect(gateInstead(raise)).to.match(/could not be put up/)
    })

  it('is not looked for behind a link', () => {
    const elsewhere = join(state, 'elsewhere')
    writeFileSync(elsewhere, 'a1\n')
    symlinkSync(elsewhere, join(state, 'monitor/boot'))
    expect(hasBootMark(join(state, 'monitor/boot'), 'a1')).to.equal(false)
  })
})

describe('what the daemon keeps over a power cut', () => {
  let state: string
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'state-'))
    mkdirSync(join(state, 'monitor'))
  })
  afterEach(() => rmSync(state, { recursive: true }))

  it('is on disk before it has its name, and so has its name: the record of a trial', () => {
    const calls = callsOf(() => writeTrial(state, { bootId: 'a'.repeat(32), startedUptimeMs: 1, endsMs: 2 }))
    expect(calls).to.deep.equal(['sync trial.new', 'rename trial.new trial', 'sync monitor'])
  })

  it('is on disk before it has its name, and so has its name: the last gate', () => {
    const calls = callsOf(() => keepGate(join(state, 'monitor'), 'table inet postern {\n}\n'))
    expect(calls).to.deep.equal(['sync gate.nft.new', 'rename gate.nft.new gate.nft', 'sync monitor'])
  })

  it('does not come back: the record of a trial that was confirmed', () => {
    writeTrial(state, { bootId: 'a'.repeat(32), startedUptimeMs: 1, endsMs: 2 })
    expect(callsOf(() => forgetTrial(state))).to.deep.equal(['remove trial', 'sync monitor'])
    rmSync(join(state, 'monitor'), { recursive: true })
    expect(
      callsOf(() => forgetTrial(state)),
      'where nothing was ever tried',
    ).to.deep.equal(['remove trial'])
  })
})

/** The system calls of `run` that make a file last, in their order. */
function callsOf(run: () => void): string[] {
  const { fsyncSync, renameSync, unlinkSync } = fs
  const calls: string[] = []
  fs.fsyncSync = (fd) => {
    calls.push(`sync ${basename(readlinkSync(`/proc/self/fd/${fd}`))}`)
    fsyncSync(fd)
  }
  fs.renameSync = (from, to) => {
    calls.push(`rename ${basename(String(from))} ${basename(String(to))}`)
    renameSync(from, to)
  }
  fs.unlinkSync = (path) => {
    calls.push(`remove ${basename(String(path))}`)
    unlinkSync(path)
  }
  syncBuiltinESMExports()
  try {
    run()
  } finally {
    Object.assign(fs, { fsyncSync, renameSync, unlinkSync })
    syncBuiltinESMExports()
  }
  return calls
}
