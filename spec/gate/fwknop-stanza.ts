/** Stanzas, packets and datagrams for specs of the fwknop gate. */
import { FwknopGate } from '../../lib/gate/fwknop.js'
import type { FwknopSettings, FwknopStanza, FwknopTarget } from '../../lib/gate/fwknop-stanza.js'
import type { Datagram, FwknopVerdict } from '../../lib/gate/verdict.js'
import { sealFwknop } from '../../lib/wire/fwknop.js'
import { latin1Bytes } from '../../lib/wire/fwknop-base64.js'
import type { FwknopMessage } from '../../lib/wire/fwknop-text.js'
import type { FwknopKeys, FwknopPort } from '../../lib/wire/fwknop-types.js'

/** A whole second: a packet made now is 0 ms old. */
export const NOW = 1_800_000_000_000
export const SOURCE = '192.0.2.7'
export const SALT = Uint8Array.from([9, 8, 7, 6, 5, 4, 3, 2])
export const KEYS: FwknopKeys = {
  key: latin1Bytes('testkey'),
  mode: 'cbc',
  hmac: { key: latin1Bytes('hmackey'), digest: 'sha256' },
}
export const OTHER_KEYS: FwknopKeys = {
  key: latin1Bytes('another'),
  mode: 'cbc',
  hmac: { key: latin1Bytes('anotherhmac'), digest: 'sha512' },
}
export const BARE: FwknopKeys = { key: latin1Bytes('barekey'), mode: 'cbc' }

export const tcp = (port: number): FwknopPort => ({ protocol: 'tcp', port })
export const udp = (port: number): FwknopPort => ({ protocol: 'udp', port })

/** Any source, tcp/22 and udp/53, 30 s. */
export function stanzaOf(more: Partial<FwknopStanza> = {}): FwknopStanza {
  return {
    user: 0xf1000000,
    title: 'access.conf:1',
    keys: KEYS,
    openPorts: [tcp(22), udp(53)],
    restrictPorts: [],
    leaseSeconds: 30,
    maxSeconds: 300,
    requireAddress: false,
    ...more,
  }
}

const alone = (resource: number, port: FwknopPort): FwknopTarget => ({ resource, opens: [port], onlyNamed: false })

/** 22 and 53 by themselves; 80 and 443 are one resource; 8080 has a list of users. */
export const RESOURCES: FwknopSettings['resources'] = new Map([
  ['tcp/22', alone(0x22, tcp(22))],
  ['udp/53', alone(0x53, udp(53))],
  ['tcp/80', { resource: 0x80, opens: [tcp(80), tcp(443)], onlyNamed: false }],
  ['tcp/443', { resource: 0x80, opens: [tcp(80), tcp(443)], onlyNamed: false }],
  ['tcp/8080', { ...alone(0x8080, tcp(8080)), onlyNamed: true }],
])

export function gateOf(...stanzas: FwknopStanza[]): FwknopGate {
  return new FwknopGate({ stanzas, maxAgeMs: 120_000, resources: RESOURCES })
}

/** What alice asks for now: 10.1.2.3 at tcp/22, with whatever else is said. */
export function messageOf(more: Partial<FwknopMessage> = {}): FwknopMessage {
  return {
    rand: '1234567890123456',
    username: 'alice',
    timeSeconds: NOW / 1000,
    version: '3.0.0',
    type: 1,
    message: '10.1.2.3,tcp/22',
    timeoutSeconds: 0,
    digest: 'sha256',
    ...more,
  }
}

export function packetOf(more: Partial<FwknopMessage> = {}, keys: FwknopKeys = KEYS): string {
  return sealFwknop(messageOf(more), keys, SALT)
}

/** The text as a datagram heard from 192.0.2.7. */
export function heard(text: string, way: Partial<Datagram> = {}): Datagram {
  const bytes = latin1Bytes(text)
  return { bytes, source: SOURCE, sourcePort: 40000, destination: '192.0.2.1', destinationPort: 62201, ...way }
}

/** Why nothing came of it, or the resources that did. */
export function whyOf(verdict: FwknopVerdict): string {
  return verdict.kind === 'silence' ? verdict.why : verdict.requests.map(({ resource }) => resource.toString(16)).join()
}

/** Throws where it is silence. */
export function requestsOf(verdict: FwknopVerdict) {
  if (verdict.kind === 'silence') throw new Error(`silence: ${verdict.why}`)
  return verdict.requests
}
