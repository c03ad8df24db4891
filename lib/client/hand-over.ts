/**
 * Hands a connection to ssh (`ProxyUseFdpass yes`): ssh waits at our standard output for one byte with a descriptor beside
 * it (SCM_RIGHTS), and takes the connection from there. Node has no call for that, but its channel between processes sends
 * just this: started with NODE_CHANNEL_FD=1 in its environment, the channel is standard output.
 */
import type { Socket } from 'node:net'

/** Whether this process was started so that it can. */
export function canHandOver(): boolean {
  return process.send !== undefined
}

/** Settles when it is on its way. Rejects where whoever waited has gone. The connection must have been paused from the beginning. */
export function handOver(connection: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    // The channel is its own error's source where nobody listens at the other end.
    process.once('error' as never, reject)
    const sent = (error: Error | null) => (error ? reject(error) : resolve())
    process.send!(0, connection, { keepOpen: true }, sent)
  })
}
