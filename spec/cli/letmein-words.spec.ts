import { expect } from 'chai'
import { type Asked, letInSentence, notLetInSentence } from '../../lib/cli/letmein-words.js'
import type { Answer } from '../../lib/client/letmein-round.js'

const asked: Asked = {
  host: 'gate',
  operation: 'KNOCK',
  transport: 'udp',
  controlPort: 5800,
  timeoutMs: 5000,
  families: [4, 6],
  isEveryFamilyWanted: false,
}

function answer(address: string, end: Answer['end'], more: Partial<Answer> = {}): Answer {
  const to = { address, family: address.includes(':') ? 6 : 4 } as const
  return { to, end, step: 'KNOCK', detail: '', knocks: 3, afterMs: 1, warnings: [], ...more }
}

describe('what letmein’s exchange came to, in words', () => {
  it('names who said COMEIN and who did not', () => {
    const answers = [answer('192.0.2.1', 'comein'), answer('2001:db8::1', 'left')]
    expect(letInSentence('port 22', answers, asked)).to.equal(
      'gate lets this machine in at port 22 (COMEIN from 192.0.2.1; not 2001:db8::1: no answer yet)',
    )
  })

  it('ends in the advice for the most telling answer', () => {
    const answers = [answer('192.0.2.1', 'timeout'), answer('2001:db8::1', 'goaway')]
    expect(notLetInSentence('port 22', answers, asked)).to.match(
      /^gate did not open port 22: 192.0.2.1: no answer from UDP port 5800 to 3 KNOCKs within 5 s; 2001:db8::1: it says GOAWAY: compare user, key and resource/,
    )
  })

  it('names the family that has no address where both are wanted', () => {
    const said = notLetInSentence('port 22', [answer('192.0.2.1', 'comein')], { ...asked, isEveryFamilyWanted: true })
    expect(said).to.equal('gate did not open port 22: 192.0.2.1: COMEIN; no IPv6 address found')
  })

  for (const [end, more, words] of [
    ['refused', { detail: 'ECONNREFUSED' }, 'nothing is served at UDP port 5800 (ECONNREFUSED): compare'],
    ['unreachable', { detail: 'ENETUNREACH' }, "it cannot be reached (ENETUNREACH): check this machine's network"],
    ['closed', { detail: 'hung up' }, 'it hung up without an answer (hung up): compare user and key'],
    ['timeout', { step: 'connect' }, 'no connection to UDP port 5800 within 5 s: compare'],
    [
      'timeout',
      { step: 'RESPONSE' },
      'it sent CHALLENGE, but no COMEIN within 5 s: it may have been done all the same: try',
    ],
    ['goaway', { step: 'RESPONSE' }, 'it takes the key, and says GOAWAY: the server could not change its firewall'],
    ['left', {}, 'no answer yet: wait longer: an exchange may take 10 s'],
  ] as const) {
    it(`says what to do after ${end} (${'step' in more ? more.step : 'KNOCK'})`, () => {
      expect(notLetInSentence('port 22', [answer('192.0.2.1', end, more)], asked)).to.include(words)
    })
  }
})
