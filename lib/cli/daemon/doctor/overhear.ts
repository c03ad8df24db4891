/** What comes in at this host while `posternd doctor --listen` hears: lib/daemon/overhear.pl, for Node opens no packet socket. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { FirewallError } from '../../../firewall/types.js'
import { canonicalAddress, type IpAddress } from '../../../wire/address.js'

/** A UDP datagram of a knock's length; `out`: letmein's CHALLENGE, as it leaves. */
export interface Datagram {
  readonly way: 'in' | 'out'
  readonly source: IpAddress
  readonly destination: IpAddress
  readonly port: number
  readonly payload: Uint8Array
  readonly atMs: number
}

/** What is to be done when a datagram was heard: go on, stop, or stop after so many ms. */
export type Onward = 'more' | 'enough' | { readonly forMs: number }

/** For perl's start, and for what came at the very end. */
const LATE_SECONDS = 2

/**
 * Gives each datagram to `hear` until that says that it is enough, Ctrl-C does, or the seconds are over. `ready` is called once it
 * hears. Throws FirewallError where it may not.
 */
export async function overhear(
  { script, seconds }: { readonly script: string; readonly seconds: number },
  hear: (datagram: Datagram) => Onward,
  ready: () => void,
): Promise<void> {
  const latestMs = Date.now() + (seconds + LATE_SECONDS) * 1000
  const child = spawn('perl', [script, String(seconds)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (text === 'hears\n') ready()
    else complaint += text
  })
  let isEnough = false
  const stop = () => {
    isEnough = true
    child.kill()
  }
  process.once('SIGINT', stop)
  let timer: NodeJS.Timeout | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    if (isEnough) continue
    // A flood before many keys: what has not been looked at by now is not.
    if (Date.now() > latestMs) {
      stop()
      continue
    }
    const [way, from = '', to = '', port, hex = ''] = line.split(' ')
    const [source, destination] = [canonicalAddress(from), canonicalAddress(to)]
    if (source === undefined || destination === undefined) continue
    const onward = hear({
      way: way === 'out' ? 'out' : 'in',
      source,
      destination,
      port: Number(port),
      payload: Buffer.from(hex, 'hex'),
      atMs: Date.now(),
    })
    if (onward === 'enough') stop()
    else if (onward !== 'more') timer ??= setTimeout(stop, onward.forMs)
  }
  clearTimeout(timer)
  process.removeListener('SIGINT', stop)
  const [status] = await ended
  if (isEnough || status === 0) return
  throw new FirewallError('permission', `cannot hear what comes in: ${complaint.trim() || `perl: exit ${status}`}`)
}
