/**
 * One direction of a relay between sockets or pipes: bytes are read into a few buckets, and a bucket is read into again when it
 * is written. So nothing is allocated for what flows, and a slow reader holds up the source after so many bytes.
 */
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'

/** Four times what a pipe holds by itself: a pipe that was widened, or a socket, gives as much at once. */
export const BUCKET_BYTES = 1 << 18
/** One is read into while another is written; the third is there when either is first. */
export const BUCKETS = 3

export class Buckets {
  /** For the socket that is read (net.SocketConstructorOpts, `onread`), which nothing else may read. */
  readonly onread = {
    buffer: () => this.#next,
    callback: (bytes: number, bucket: Uint8Array) => this.#filled(bytes, bucket),
  }
  #next = Buffer.allocUnsafeSlow(BUCKET_BYTES)
  readonly #empty = Array.from({ length: BUCKETS - 1 }, () => Buffer.allocUnsafeSlow(BUCKET_BYTES))
  #way: { readonly from: Socket; readonly to: Writable; readonly carried?: (bytes: number) => void } | undefined
  #isHeldUp = false

  /** Lets the source, paused until now, flow into `to`, which is not ended with it. `carried` hears of each bucketful. */
  pour(from: Socket, to: Writable, carried?: (bytes: number) => void): void {
    this.#way = { from, to, ...(carried && { carried }) }
    from.resume()
  }

  /** Whether to read on, into what `onread.buffer` gives from now on. */
  #filled(bytes: number, bucket: Uint8Array): boolean {
    const { to, carried } = this.#way!
    // There is one: what took the last bucket has held up the source.
    this.#next = this.#empty.pop()!
    to.write(bucket.subarray(0, bytes), (error) => error ?? this.#emptied(bucket))
    carried?.(bytes)
    this.#isHeldUp = this.#empty.length === 0
    if (this.#isHeldUp) this.#way!.from.pause()
    return !this.#isHeldUp
  }

  #emptied(bucket: Uint8Array): void {
    this.#empty.push(bucket as Buffer<ArrayBuffer>)
    if (!this.#isHeldUp) return
    this.#isHeldUp = false
    this.#way!.from.resume()
  }
}
