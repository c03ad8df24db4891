/** Valid packets of every type, mode and digest, each with a gate that lets it in or says why not. */
import { FwknopGate } from '../../lib/gate/fwknop.js'
import { sealFwknop } from '../../lib/wire/fwknop.js'
import { latin1Bytes } from '../../lib/wire/fwknop-base64.js'
import { DIGESTS } from '../../lib/wire/fwknop-digest.js'
import { encodeText, type FwknopMessage, type FwknopType, hasNat, hasTimeout } from '../../lib/wire/fwknop-text.js'
import type { FwknopKeys, FwknopMode, FwknopPort } from '../../lib/wire/fwknop-types.js'

export const NOW = 1_800_000_000_000
const MODES: readonly FwknopMode[] = ['cbc', 'ecb', 'cfb', 'ofb', 'ctr', 'legacy']
const TYPES: readonly FwknopType[] = [0, 1, 2, 3, 4, 5, 6]
const PORTS: readonly FwknopPort[] = [
  { protocol: 'tcp', port: 22 },
  { protocol: 'udp', port: 53 },
]

export interface Valid {
  readonly keys: FwknopKeys
  readonly salt: Uint8Array
  /** As it is encrypted. */
  readonly text: Uint8Array
  readonly wire: Uint8Array
  readonly gate: FwknopGate
}

/** One for each type, mode and HMAC, or none. */
export function validPackets(): Valid[] {
  const all: Valid[] = []
  for (const mode of MODES)
    for (const hmac of [undefined, ...DIGESTS]) {
      const keys: FwknopKeys = {
        key: latin1Bytes(`key of ${mode}`),
        mode,
        ...(hmac !== undefined && { hmac: { key: latin1Bytes(`key of ${hmac}`), digest: hmac } }),
      }
      const gate = gateOf(keys)
      for (const type of TYPES) {
        const salt = Uint8Array.from({ length: 8 }, (_, i) => 17 * i + all.length)
        const message = messageOf(type, all.length)
        all.push({ keys, salt, text: encodeText(message), wire: latin1Bytes(sealFwknop(message, keys, salt)), gate })
      }
    }
  return all
}

function messageOf(type: FwknopType, number: number): FwknopMessage {
  const ports = number % 2 === 0 ? 'tcp/22' : 'tcp/22,udp/53'
  return {
    rand: `${number}`.padStart(16, '7'),
    username: 'alice'.repeat(1 + (number % 3)),
    timeSeconds: NOW / 1000,
    version: '3.0.0',
    type,
    message: type === 0 ? '10.1.2.3,id' : `${number % 3 === 0 ? '0.0.0.0' : '10.1.2.3'},${ports}`,
    ...(hasNat(type) && { natAccess: '10.0.0.9,22' }),
    timeoutSeconds: hasTimeout(type) ? 60 : 0,
    digest: DIGESTS[number % 3]!,
  }
}

/** Its own keys, among others' with and without HMAC. */
function gateOf(keys: FwknopKeys): FwknopGate {
  const common = { openPorts: PORTS, restrictPorts: [], leaseSeconds: 30, maxSeconds: 300, requireAddress: false }
  const other: FwknopKeys = { ...keys, hmac: { key: latin1Bytes('another'), digest: 'sha256' } }
  const bare: FwknopKeys = { key: latin1Bytes('bare'), mode: keys.mode }
  return new FwknopGate({
    stanzas: [other, keys, bare].map((one, i) => ({ ...common, user: i, title: `fuzz:${i}`, keys: one })),
    maxAgeMs: 120_000,
    resources: new Map(
      PORTS.map((port, i) => [`${port.protocol}/${port.port}`, { resource: i, opens: [port], onlyNamed: false }]),
    ),
  })
}
