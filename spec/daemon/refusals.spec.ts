import { expect } from 'chai'
import fc from 'fast-check'
import { encodeFrame, type Frame } from '../../lib/daemon/frames.js'
import { Refusals, RefusalWords } from '../../lib/daemon/refusals.js'

describe('a refusal on its way to the log', () => {
  function tell(detail: string | undefined): { text: string; frames: Frame[] } {
    const frames: Frame[] = []
    const refusals = new Refusals((frame) => frames.push(frame) > 0)
    refusals.tell('replayed', '192.0.2.7', { protocol: 'spa', user: 1 }, detail, 0)
    const words = new RefusalWords()
    for (const frame of frames) if (frame.kind === 'words') words.add(frame.text)
    return { text: words.take(), frames }
  }

  it('keeps short words as they are', () => {
    expect(tell('access.conf:1: tcp/23 is not in OPEN_PORTS; access.conf:9: the stanza has expired').text).to.equal(
      'access.conf:1: tcp/23 is not in OPEN_PORTS; access.conf:9: the stanza has expired',
    )
    expect(tell(undefined).frames).to.have.length(1)
  })

  it('has words of 200 printable ASCII characters at most, whatever a stranger wrote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (detail) => {
        const { text, frames } = tell(detail)
        expect(text).to.match(/^[\x20-\x7e]{0,200}$/)
        expect(frames.at(-1)!.kind).to.equal('refused')
        for (const frame of frames) encodeFrame(frame)
      }),
    )
  })

  it('takes no more words from a hostile listener than one refusal may have', () => {
    const words = new RefusalWords()
    for (let i = 0; i < 1000; i++) words.add('x'.repeat(40))
    expect(words.take()).to.have.length(200)
    expect(words.take()).to.equal('')
  })
})
