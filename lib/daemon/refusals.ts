/**
 * The listener's word of an authentic knock that it refused, on its way to the monitor's log: fixed frames, at a bounded rate,
 * the words that go with it cut to size. The monitor knows names, the journal and who watches; the listener needs none of them.
 */
import type { IpAddress } from '../wire/address.js'
import { type Frame, WORDS_BYTES } from './frames.js'
import { REASON_LIST, type Reason } from './reasons.js'
import { Restraint } from './restraint.js'

const MOST_WORDS_FRAMES = 5

type Refused = Extract<Frame, { kind: 'refused' }>

/** Whose knock it was, as far as a key showed it, and what it asked for. */
export type Whose = Pick<Refused, 'protocol' | 'user' | 'wish'>

export class Refusals {
  readonly #send: (frame: Frame) => boolean
  readonly #restraint = new Restraint()

  constructor(send: (frame: Frame) => boolean) {
    this.#send = send
  }

  /** Tells of one, unless too many like it were told. `detail` is anything; what is no printable ASCII becomes a `?`. */
  tell(why: Reason, address: IpAddress, whose: Whose, detail: string | undefined, monoMs: number): void {
    const leftOut = this.#restraint.admit(`${whose.user} ${why}`, monoMs)
    if (leftOut === undefined) return
    for (const text of piecesOf(detail ?? '')) this.#send({ kind: 'words', text })
    this.#send({ kind: 'refused', ...whose, reason: REASON_LIST.indexOf(why), address, leftOut })
  }
}

function piecesOf(detail: string): string[] {
  const ascii = detail.replaceAll('’', "'").replace(/[^\x20-\x7e]/g, '?')
  const most = MOST_WORDS_FRAMES * WORDS_BYTES
  const cut = ascii.length > most ? `${ascii.slice(0, most - 3)}...` : ascii
  return cut.match(/.{1,40}/g) ?? []
}

/** The monitor's side: words are kept for the refusal behind them, no more of them than one may have. */
export class RefusalWords {
  #text = ''

  add(text: string): void {
    if (this.#text.length < MOST_WORDS_FRAMES * WORDS_BYTES) this.#text += text
  }

  /** What was said since it was asked last. */
  take(): string {
    const text = this.#text
    this.#text = ''
    return text
  }
}
