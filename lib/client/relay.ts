/**
 * Bytes both ways between a connection and this process's standard input and output, as a program that stands between ssh and
 * a server has to: each direction ends for itself, nothing is kept back, and nothing is lost at the end.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { devNull } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { Buckets } from './buckets.js'

export type RelayEnd =
  /** Both directions have ended. */
  | { readonly kind: 'ended' }
  /** Whoever read our output has gone. */
  | { readonly kind: 'unread' }
  /** The connection broke. */
  | { readonly kind: 'lost'; readonly error: NodeJS.ErrnoException }

/** What the relay has on its own side. */
export interface Ends {
  readonly input: Readable
  readonly output: Writable
  /** Ends the output for its reader, once all of it is written. None: that takes the process's end, so both directions end together. */
  readonly closeOutput?: () => void
  /** What the input is read into, where it is a socket made for that. None: its own stream. */
  readonly inputBuckets?: Buckets
  /** Called once, when it is seen that much goes through. */
  readonly prepareForMuch?: () => void
}

/** More than a login and a screen full of text. */
const MUCH_BYTES = 4 << 20

/**
 * Begins with what has been read of the connection already, if anything has; or with nothing, where it was made with `buckets`
 * and paused. Settles once; never rejects.
 */
export function relay(connection: Socket, ends: Ends, buckets?: Buckets): Promise<RelayEnd> {
  const { input, output, closeOutput, inputBuckets, prepareForMuch } = ends
  return new Promise((resolve) => {
    let isInputOver = false
    let isOutputOver = false
    const settle = (end: RelayEnd) => {
      input.unpipe(connection)
      connection.destroy()
      resolve(end)
    }
    const settleIfOver = () => {
      if (isInputOver && isOutputOver) settle({ kind: 'ended' })
    }
    connection.on('error', (error) => {
      // A server that has said all it had to say may reset what still comes in: no loss.
      if (isOutputOver) settle({ kind: 'ended' })
      else settle({ kind: 'lost', error })
    })
    connection.on('end', () => {
      const written = () => {
        isOutputOver = true
        if (closeOutput === undefined) return output.end(() => settle({ kind: 'ended' }))
        closeOutput()
        settleIfOver()
      }
      // Its turn comes when all before it is written; `drain` would come only where the buffer had been full.
      if (output.writableLength === 0) written()
      else output.write('', (error) => error ?? written())
    })
    connection.on('finish', () => {
      isInputOver = true
      settleIfOver()
    })
    input.on('error', () => connection.end())
    output.on('error', () => settle({ kind: 'unread' }))
    let carriedBytes = 0
    const carried = (bytes: number) => {
      const isMuch = carriedBytes >= MUCH_BYTES
      carriedBytes += bytes
      if (!isMuch && carriedBytes >= MUCH_BYTES) prepareForMuch?.()
    }
    const counted = ({ length }: Buffer) => carried(length)
    if (inputBuckets) {
      input.on('end', () => connection.end())
      inputBuckets.pour(input as Socket, connection, carried)
    } else input.on('data', counted).pipe(connection)
    if (buckets) buckets.pour(connection, output, carried)
    else connection.on('data', counted).pipe(output, { end: false })
  })
}

/**
 * This process's own standard input and output. Node writes to a pipe of its own standard output as to a file, and waits for
 * the reader; so pipes are opened anew. Bun does not wait, but keeps a second descriptor of its own, so nothing but its end is the
 * output's end.
 */
export async function standardEnds(): Promise<Ends> {
  if (isBun()) return { input: process.stdin, output: process.stdout }
  const { Socket } = await import('node:net')
  const output = isPipe(1) ? new Socket({ fd: 1, readable: false, writable: true }) : process.stdout
  const ends = { output, closeOutput: () => closeDescriptor(1), prepareForMuch }
  if (!isPipe(0)) return { ...ends, input: process.stdin }
  const inputBuckets = new Buckets()
  const options = { fd: 0, readable: true, writable: false, onread: inputBuckets.onread }
  const input = new Socket(options).pause()
  return { ...ends, input, inputBuckets }
}

/** What a connection that relay() gets is to be read into; undefined where the runtime does not know how, and its stream has to do. */
export function connectionBuckets(): Buckets | undefined {
  return isBun() ? undefined : new Buckets()
}

function isBun(): boolean {
  return process.versions['bun'] !== undefined
}

function prepareForMuch(): void {
  void import('./wide-pipes.js').then(({ widenPipes }) => widenPipes())
}

function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd)
    return stat.isFIFO() || stat.isSocket()
  } catch {
    return false
  }
}

/** No library closes a standard descriptor, but the reader waits for it. Its number must not go to the next file. */
function closeDescriptor(fd: number): void {
  try {
    closeSync(fd)
    openSync(devNull, 'w')
  } catch {
    // It was closed from the beginning.
  }
}
