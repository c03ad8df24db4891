/** What hearing.spec.ts lets run in a namespace: events and copies of datagrams. */
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { decodeEvents, type RulesetEvent } from '../../../lib/firewall/netlink/events.js'
import { NetlinkKernel } from '../../../lib/firewall/netlink/kernel.js'
import { messagesOf } from '../../../lib/firewall/netlink/message.js'
import { bindLog, decodeNflog, encodeWake, type NflogPacket } from '../../../lib/firewall/netlink/nflog.js'
import { probe } from '../../../lib/firewall/netlink/probe.js'
import { datagramOf } from '../../../lib/wire/ip.js'
import type { NetlinkLab } from '../../support/netns-program.js'
import { begin, failure, key, LEASES, ONE } from './in-namespace.js'

/** Reads events until the one that ends the transaction of `program`. */
async function eventsOf(lab: NetlinkLab, program: string): Promise<RulesetEvent[]> {
  const heard: RulesetEvent[] = []
  const isLast = (event: RulesetEvent) => event.kind === 'generation' && event.program === program
  for (const deadline = Date.now() + 5000; !heard.some(isLast) && Date.now() < deadline; ) {
    const bytes = lab.events.read()
    if (bytes === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    else heard.push(...decodeEvents(bytes))
  }
  return heard.map((event) => ({ ...event, portid: event.portid === 0 ? 0 : 1 }))
}

export async function hearsChanges(lab: NetlinkLab) {
  const kernel = begin(lab)
  const made = await eventsOf(lab, 'nft')
  kernel.apply([{ kind: 'add', to: LEASES, elements: [{ key: ONE }] }])
  lab.nft('add element inet t leases { 198.18.0.7 }')
  const foreignElement = await eventsOf(lab, 'nft')
  const { handle } = kernel.shape(1, 't')!
  lab.nft('flush ruleset')
  return { made, foreignElement, handle, flushed: await eventsOf(lab, 'nft'), overruns: lab.events.overruns }
}

export async function hearsDatagrams(lab: NetlinkLab) {
  lab.nft(`table inet t { chain c {
    type filter hook input priority 0; policy drop
    iif lo udp dport 5800 log prefix "postern instant 00000022" group 6 queue-threshold 1 drop
    iif lo udp dport 5801 log group 5 queue-threshold 1 drop
  }
}`)
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  bindLog(lab.log, 5)
  bindLog(lab.log, 6)
  bindLog(lab.log, 6)
  const taken = failure(() => bindLog(lab.socket, 6))
  const packets: NflogPacket[] = []
  const send = async (type: 'udp4' | 'udp6', port: number, address: string, bytes: Uint8Array) => {
    const socket = createSocket(type)
    await new Promise<void>((resolve, reject) =>
      socket.send(bytes, port, address, (error) => (error ? reject(error) : resolve())),
    )
    const sourcePort = socket.address().port
    socket.close()
    const count = packets.length
    for (const deadline = Date.now() + 5000; packets.length === count && Date.now() < deadline; ) {
      const copy = lab.log.read()
      if (copy === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
      else packets.push(...decodeNflog(copy.slice()))
    }
    return sourcePort
  }
  const ports = [
    await send('udp4', 5800, '127.0.0.1', Buffer.from('knock')),
    await send('udp6', 5801, '::1', new Uint8Array(400).fill(0x61)),
    await send('udp4', 5801, '127.0.0.1', new Uint8Array(2100)),
  ]
  return {
    taken,
    ports,
    packets: packets.map(({ payload, ...rest }) => ({ ...rest, bytes: payload.length })),
    datagrams: packets.map(({ payload }) => {
      const datagram = datagramOf(payload)
      return datagram ? { ...datagram, bytes: Buffer.from(datagram.bytes).toString() } : 'none'
    }),
  }
}

export function probes(lab: NetlinkLab) {
  const parts = probe(lab.socket)
  return { parts, stillRight: new NetlinkKernel(lab.socket).shape(1, 'none') ?? 'none' }
}

/** More events than their socket's buffer holds (those of the command socket are not among them), read only afterwards. */
export async function overruns(lab: NetlinkLab) {
  begin(lab)
  const other = new NetlinkKernel(lab.log)
  for (let i = 0; i < 40_000; i++) {
    other.apply([{ kind: 'add', to: LEASES, elements: [{ key: key(10, 0, i >> 8, i & 255) }] }])
  }
  let events = 0
  for (let bytes = lab.events.read(); bytes !== undefined; bytes = lab.events.read()) {
    events += decodeEvents(bytes).length
  }
  const before = lab.events.overruns
  lab.nft('delete table inet t')
  const after = (await eventsOf(lab, 'nft')).flatMap((event) => (event.kind === 'table' ? [event.change] : []))
  return { events, before, after }
}

export function wakes(lab: NetlinkLab) {
  lab.log.write(encodeWake())
  const answer = lab.log.read()
  return answer === undefined ? 'silence' : messagesOf(answer).map((message) => message.type)
}
