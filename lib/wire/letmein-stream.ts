/** letmein over TCP: a stream of 56-byte messages, in whatever pieces it comes. Pure; holds at most 55 bytes. */
import { MESSAGE_BYTES } from './letmein.js'

export class MessageStream {
  readonly #part = new Uint8Array(MESSAGE_BYTES)
  #length = 0;

  /** The messages that are whole with this piece, 56 bytes each, as copies. What is left of it waits for the next. */
  *take(piece: Uint8Array): Generator<Uint8Array> {
    for (let offset = 0; offset < piece.length; ) {
      const taken = Math.min(MESSAGE_BYTES - this.#length, piece.length - offset)
      this.#part.set(piece.subarray(offset, offset + taken), this.#length)
      this.#length += taken
      offset += taken
      if (this.#length < MESSAGE_BYTES) return
      this.#length = 0
      yield this.#part.slice()
    }
  }
}
