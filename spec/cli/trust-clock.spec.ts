import { expect } from 'chai'
import { unchangedWords } from '../../lib/cli/daemon/trust-clock.js'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

describe('trust-clock, where there is nothing to trust', () => {
  it('says that knocks are accepted', () => expect(unchangedWords(0, NOW)).to.match(/knocks are accepted as it is$/))

  it('says so too once the time of an untrusted journal is over', () =>
    expect(unchangedWords(NOW, NOW)).to.match(/knocks are accepted as it is$/))

  it('says until when an untrusted journal refuses them', () =>
    expect(unchangedWords(NOW + 78_500, NOW)).to.match(
      /refused for 79 s more, until 2026-01-02T03:05:23\.500Z \(posternd open /,
    ))
})
