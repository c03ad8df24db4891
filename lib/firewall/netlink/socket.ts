/**
 * A netlink socket that was opened before Node began (lib/daemon/opener.pl, starter.pl) and came as a file descriptor:
 * Node can read and write one, but not open it. Not blocking; what a write asks, the kernel answers before it returns.
 */
import { readSync, writeSync } from 'node:fs'
import { FirewallError } from '../types.js'

/** Larger than anything that the kernel puts into one datagram (a dump: 32 KiB; an error echoes at most 64 KiB). */
const READ_BYTES = 128 * 1024
/** The kernel's default for a send buffer (net.core.wmem_default), where nobody says how large it is. */
export const DEFAULT_SEND_BYTES = 212_992
/** The kernel keeps these of a send buffer for itself. */
const SEND_OVERHEAD_BYTES = 32

export interface NetlinkSocket {
  /** One datagram to the kernel, which has dealt with it when this returns. */
  write(bytes: Uint8Array): void
  /** The next datagram, or undefined where none is waiting. Gone with the next read. */
  read(): Uint8Array | undefined
  /** One datagram may be so long; undefined: no limit is known. */
  readonly maxWriteBytes?: number
}

export class FdSocket implements NetlinkSocket {
  /** How often the kernel had to throw answers or events away because the receive buffer was full. */
  overruns = 0
  readonly maxWriteBytes: number
  private readonly buffer = new Uint8Array(READ_BYTES)

  /** `sendBytes`: the socket's SO_SNDBUF. */
  constructor(
    readonly fd: number,
    sendBytes: number = DEFAULT_SEND_BYTES,
  ) {
    this.maxWriteBytes = sendBytes - SEND_OVERHEAD_BYTES
  }

  write(bytes: Uint8Array): void {
    try {
      writeSync(this.fd, bytes)
    } catch (error) {
      throw new FirewallError(
        'kernel',
        `netlink socket, descriptor ${this.fd}: ${bytes.length} bytes not sent: ${codeOf(error)}`,
        {
          cause: error,
        },
      )
    }
  }

  read(): Uint8Array | undefined {
    for (;;) {
      try {
        return this.buffer.subarray(0, readSync(this.fd, this.buffer, 0, READ_BYTES, null))
      } catch (error) {
        switch (codeOf(error)) {
          case 'EAGAIN':
            return undefined
          case 'EINTR':
            break
          case 'ENOBUFS':
            // The error of one read: something was dropped, what was kept can be read on.
            this.overruns++
            break
          default:
            throw new FirewallError('kernel', `netlink socket, descriptor ${this.fd}: not read: ${codeOf(error)}`, {
              cause: error,
            })
        }
      }
    }
  }
}

/** The socket that the environment names: POSTERN_NETLINK_FD, and its send buffer POSTERN_NETLINK_SEND_BYTES. */
export function inheritedSocket(environment: Readonly<Record<string, string | undefined>>): FdSocket {
  const { POSTERN_NETLINK_FD: fd, POSTERN_NETLINK_SEND_BYTES: send } = environment
  if (fd === undefined || !/^[0-9]{1,6}$/.test(fd)) {
    throw new FirewallError(
      'missing',
      `POSTERN_NETLINK_FD=${fd ?? ''}: expected the descriptor of a netlink socket (start posternd, not the program behind it)`,
    )
  }
  const sendBytes = Number(send)
  return new FdSocket(Number(fd), sendBytes > SEND_OVERHEAD_BYTES ? sendBytes : DEFAULT_SEND_BYTES)
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code ?? error)
}
