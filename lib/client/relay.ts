/**
 * Bytes both ways between a connection and this process's standard input and output, as a program that stands between ssh and
 * a server has to: each direction ends for itself, nothing is kept back, and nothing is lost at the end.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { devNull } from 'node:os'
import type { Readable, Writable } from 'node:stream'

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
  /** Ends the output for its reader, once all of it is written. */
  readonly closeOutput: () => void
}

/** Begins with what has been read of the connection already, if anything has. Settles once; never rejects. */
export function relay(connection: Socket, { input, output, closeOutput }: Ends): Promise<RelayEnd> {
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
        closeOutput()
        isOutputOver = true
        settleIfOver()
      }
      if (output.writableLength === 0) written()
      else output.once('drain', written)
    })
    connection.on('finish', () => {
      isInputOver = true
      settleIfOver()
    })
    input.on('error', () => connection.end())
    output.on('error', () => settle({ kind: 'unread' }))
    input.pipe(connection)
    connection.pipe(output, { end: false })
  })
}

/** This process's own standard input and output. */
export async function standardEnds(): Promise<Ends> {
  const { Socket } = await import('node:net')
  const output = isPipe(1) ? new Socket({ fd: 1, readable: false, writable: true }) : process.stdout
  const input = isPipe(0) ? new Socket({ fd: 0, readable: true, writable: false }) : process.stdin
  return { input, output, closeOutput: () => closeDescriptor(1) }
}

/** Node writes to pipes of its own standard output as to files, and waits for the reader; so they are opened anew. */
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
