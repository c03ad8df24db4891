import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { hasBootMark } from '../../lib/daemon/boot-mark.js'
import { gateInstead, raiseLastGate } from '../../lib/daemon/last-gate.js'
import { readTrial, trialInForce } from '../../lib/daemon/trial.js'
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
