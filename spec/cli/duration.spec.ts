import { expect } from 'chai'
import fc from 'fast-check'
import { milliseconds, parseDuration, wholeSeconds } from '../../lib/cli/duration.js'
import { UsageError } from '../../lib/cli/usage.js'

describe('a duration', () => {
  for (const [text, seconds] of [
    ['90', 90],
    ['90s', 90],
    ['30m', 1800],
    ['1h', 3600],
    ['1d', 86_400],
    ['1.5h', 5400],
    ['0', 0],
    ['0.25', 0.25],
  ] as const) {
    it(`${text} is ${seconds} s`, () => expect(parseDuration(text)).to.equal(seconds))
  }

  for (const text of ['', 's', '-1', '+1', '1 h', '1H', '1h30m', '1w', '.5', '1.', '1e3', '0x10', 'Infinity', '١']) {
    it(`${JSON.stringify(text)} is none`, () => expect(parseDuration(text)).to.equal(undefined))
  }

  it('of n seconds is n, with a unit or without', () => {
    fc.assert(
      fc.property(fc.nat(), (n) => {
        expect([parseDuration(`${n}`), parseDuration(`${n}s`), parseDuration(`${n}m`)]).to.deep.equal([n, n, n * 60])
      }),
    )
  })

  it('in whole seconds is refused with value and bounds where it is none', () => {
    const bounds = { least: 1, greatest: 4_294_967_295 }
    expect(wholeSeconds('--lifetime', '1h', bounds)).to.equal(3600)
    for (const text of ['0', '1.5', '4294967296', '1193047h', 'soon']) {
      expect(() => wholeSeconds('--lifetime', text, bounds)).to.throw(
        UsageError,
        `--lifetime "${text}": expected seconds, 1–4294967295, or a duration like 90s, 30m, 1h, 1d`,
      )
    }
  })

  it('in milliseconds may be a fraction of a second', () => {
    expect(milliseconds('--timeout', '0.25', { least: 0.1, greatest: 60 })).to.equal(250)
    expect(() => milliseconds('--timeout', '0.05', { least: 0.1, greatest: 60 })).to.throw(UsageError, '0.1–60')
  })
})
