/** One look at a TCP port, and what the network says of it. */
import { connect } from 'node:net'
import type { Destination } from './resolve.js'

export interface Look {
  /** `silent`: nothing came back in time. `blocked`: this machine's own firewall does not let it out. `unreachable`: no way there. */
  readonly kind: 'open' | 'refused' | 'silent' | 'blocked' | 'unreachable'
  /** The system's word, as ECONNREFUSED. */
  readonly code?: string
}

/** The connection is closed again at once. Never rejects. */
export function tryPort(to: Destination, port: number, timeoutMs: number): Promise<Look> {
  return new Promise((resolve) => {
    const socket = connect({ host: to.address, port, family: to.family })
    const finish = (look: Look) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(look)
    }
    const timer = setTimeout(() => finish({ kind: 'silent' }), timeoutMs)
    socket.on('connect', () => finish({ kind: 'open' }))
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      finish({ kind: kindOf(code), ...(code !== undefined && { code }) }),
    )
  })
}

function kindOf(code: string | undefined): Look['kind'] {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return 'refused'
    case 'EPERM':
    case 'EACCES':
      return 'blocked'
    case 'ETIMEDOUT':
      return 'silent'
    default:
      return 'unreachable'
  }
}
