import { expect } from 'chai'
import { spanWords } from '../../../lib/cli/daemon/doctor/caught.js'

describe('a span of time', () => {
  for (const [seconds, words] of [
    [0.4, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [312, '5 min 12 s'],
    [3600, '1 h'],
    [3660, '1 h 1 min'],
    [86_400 * 3 + 7200, '3 d 2 h'],
    [86_400 + 59, '1 d'],
  ] as const)
    it(`of ${seconds} s is ${words}`, () => expect(spanWords(seconds * 1000)).to.equal(words))
})
