/** Which address of this machine a datagram would leave from. */
import type { Destination } from './resolve.js'

/** `ownAddress` in programs. */
export type OwnAddress = (to: Destination) => Promise<string | undefined>

/** As the kernel's routes say, without sending anything; undefined where there is no way there. Behind a NAT it is not what the server sees. */
export const ownAddress: OwnAddress = async ({ address, family }) => {
  const { createSocket } = await import('node:dgram')
  const socket = createSocket(`udp${family}`)
  return new Promise((resolve) => {
    const finish = (own?: string) => {
      socket.close()
      resolve(own)
    }
    // The port is no matter: nothing is sent. Node hands an error to a function that its types give no argument.
    const connected: (error?: Error) => void = (error) => finish(error ? undefined : socket.address().address)
    socket.connect(9, address, connected)
  })
}
