/** What comes in at this host while `posternd doctor --listen` hears: lib/daemon/overhear.pl, for Node opens no packet socket. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { FirewallError } from '../../../firewall/types.js'
import { canonicalAddress, type IpAddress } from '../../../wire/address.js'

/** A UDP datagram of a knock's length. */
export interface Datagram {
  readonly source: IpAddress
  readonly port: number
  readonly payload: Uint8Array
  readonly atMs: number
}

/**
 * Gives each datagram to `hear` until that says that it is enough, or the seconds are over. `ready` is called once it hears. Throws
 * FirewallError where it may not.
 */
export async function overhear(
  { script, seconds }: { readonly script: string; readonly seconds: number },
  hear: (datagram: Datagram) => 'more' | 'enough',
  ready: () => void,
): Promise<void> {
  const child = spawn('perl', [script, String(seconds)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (text === 'hears\n') ready()
    else complaint += text
  })
  let isEnough = false
  for await (const line of createInterface({ input: child.stdout })) {
    if (isEnough) continue
    const [from = '', port, hex = ''] = line.split(' ')
    const source = canonicalAddress(from)
    if (source === undefined) continue
    isEnough = hear({ source, port: Number(port), payload: Buffer.from(hex, 'hex'), atMs: Date.now() }) === 'enough'
    if (isEnough) child.kill()
  }
  const [status] = await ended
  if (isEnough || status === 0) return
  throw new FirewallError('permission', `cannot hear what comes in: ${complaint.trim() || `perl: exit ${status}`}`)
}
