import { expect } from 'chai'
import { createLog } from '../../lib/daemon/log.js'
import { textForm } from '../../lib/daemon/log-forms.js'

/** A log over a device that may be full, and a clock that is moved by hand. */
function world() {
  const lines: string[] = []
  const state = { full: false, nowMs: 0 }
  const write = (line: string) => {
    if (state.full) throw new Error('ENOSPC: no space left on device, write')
    lines.push(line)
  }
  return {
    lines,
    state,
    log: createLog(
      () => textForm(write, true),
      () => state.nowMs,
    ),
  }
}

describe('the log', () => {
  it('writes a line with its priority, and nothing in it begins a second one', () => {
    const { lines, log } = world()
    log.warn('a\nb\u001b[2J')
    expect(lines).to.deep.equal(['<4>a b [2J\n'])
  })

  it('is bounded to 20 lines a second after 200 at once, and says how many it left out', () => {
    const { lines, state, log } = world()
    for (let i = 0; i < 1000; i++) log.info(`line ${i}`)
    expect(lines).to.have.length(200)
    state.nowMs = 1000
    for (let i = 0; i < 1000; i++) log.info(`later ${i}`)
    expect(lines).to.have.length(220)
    expect(lines[200]).to.match(/^<4>800 lines were not written/)
  })

  it('never throws where a line cannot be written, and counts it', () => {
    const { lines, state, log } = world()
    state.full = true
    for (let i = 0; i < 3; i++) log.error(`lost ${i}`)
    state.full = false
    log.error('back')
    expect(lines).to.have.length(2)
    expect(lines[0]).to.match(/^<4>3 lines were not written/)
    expect(lines[1]).to.equal('<3>back\n')
  })
})
