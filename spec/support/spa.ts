/** Users, datagrams and generators for specs of postern SPA. */
import fc from 'fast-check'
import type { Datagram, Operation } from '../../lib/gate/verdict.js'
import { addressFromBytes } from '../../lib/wire/address.js'
import { type Knock, MAX_PAD, MAX_TIME_MS, NONCE_BYTES } from '../../lib/wire/spa.js'
import { deriveKeys } from '../../lib/wire/spa-keys.js'

export const NOW = 1_800_000_000_000

/** A user whose key is 32 times the same byte. */
export function userOf(id: number, realm = 'gate.example.org') {
  return { id, ...deriveKeys(new Uint8Array(32).fill(id), realm) }
}

/** A datagram as it was heard from 192.0.2.7. */
export function heard(bytes: Uint8Array): Datagram {
  return { bytes, source: '192.0.2.7', sourcePort: 40000, destination: '192.0.2.1', destinationPort: 5800 }
}

/** A plain knock of user 1 at resource 22, with whatever else is said. */
export function knockAt(timeMs: number, more: Partial<Knock> = {}): Knock {
  return { operation: 'open', user: 1, resource: 0x22, timeMs, lifetimeSeconds: 0, instant: false, ...more }
}

export const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
export const ids = fc.integer({ min: 0, max: 0xffffffff })
export const nonces = bytes(NONCE_BYTES)
export const pads = fc.integer({ min: 0, max: MAX_PAD })

/** Addresses that a datagram may name: any IPv4 or IPv6 one but the unspecified. */
export const addresses = fc
  .oneof(bytes(4), bytes(16))
  .map((raw) => addressFromBytes(raw))
  .filter((address) => address !== '::' && address !== '0.0.0.0')

/** Every knock that can be said. */
export const knocks: fc.Arbitrary<Knock> = fc.oneof(
  fc.record(
    {
      operation: fc.constantFrom<Operation>('open', 'revoke', 'extend'),
      user: ids,
      resource: ids,
      timeMs: fc.integer({ min: 0, max: MAX_TIME_MS }),
      lifetimeSeconds: ids,
      address: addresses,
      instant: fc.constant(false),
    },
    { requiredKeys: ['operation', 'user', 'resource', 'timeMs', 'lifetimeSeconds', 'instant'] },
  ),
  fc.record({
    operation: fc.constant<Operation>('open'),
    user: ids,
    resource: ids,
    timeMs: fc.integer({ min: 0, max: MAX_TIME_MS }),
    lifetimeSeconds: fc.constant(0),
    instant: fc.constant(true),
  }),
)
