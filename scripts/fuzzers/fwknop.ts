/**
 * Changes valid packets of fwknop's and asks the gate about them. A third is changed as it is on the wire, as anybody could; a third
 * where it is encrypted, a third in its text, both with the right HMAC, as only who has the keys could. The gate never throws, and a packet
 * that was changed on the wire and is let in is the same one to the replay window.
 */

import { packetId } from '../../lib/wire/fwknop.js'
import { encodeBase64, latin1Bytes, latin1Of } from '../../lib/wire/fwknop-base64.js'
import { encrypt } from '../../lib/wire/fwknop-cipher.js'
import { digestText, macText } from '../../lib/wire/fwknop-digest.js'
import { NOW, type Valid, validPackets } from './fwknop-packets.js'
import { joined, mutate } from './mutate.js'
import { Random } from './random.js'

const PREFIX = 'U2FsdGVkX1'
const BASE64 = latin1Bytes('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=')
const TEXT = latin1Bytes('0123456789::::YWxpZw=, -+.')
const WAY = { source: '192.0.2.7', sourcePort: 40000, destination: '192.0.2.1', destinationPort: 62201 }

export interface Fuzzed {
  /** How often each reason for silence was met, and `requests`. */
  readonly counts: ReadonlyMap<string, number>
  /** The longest that the gate took for one packet. */
  readonly slowestMs: number
  /** What must not be, with all that is needed to see it again. */
  readonly faults: readonly string[]
}

/** `clockMs`: any clock that only goes on. */
export function fuzzFwknop(count: number, seed: number, clockMs: () => number): Fuzzed {
  const random = new Random(seed)
  const valid = validPackets()
  const counts = new Map<string, number>()
  const faults: string[] = []
  let slowestMs = 0
  for (let i = 0; i < count && faults.length < 10; i++) {
    const packet = random.of(valid)
    const way = random.below(3)
    const bytes = way === 0 ? respelt(packet, random) : way === 1 ? recoded(packet, random) : rewritten(packet, random)
    const began = clockMs()
    const outcome = outcomeOf(packet, bytes, way === 0)
    slowestMs = Math.max(slowestMs, clockMs() - began)
    if (outcome.fault !== undefined) faults.push(`seed ${seed}, packet ${i}: ${outcome.fault}: ${latin1Of(bytes)}`)
    counts.set(outcome.name, (counts.get(outcome.name) ?? 0) + 1)
  }
  return { counts, slowestMs, faults }
}

function outcomeOf({ gate, text }: Valid, bytes: Uint8Array, isOfAnybody: boolean): { name: string; fault?: string } {
  try {
    const verdict = gate.judge({ bytes, ...WAY }, NOW)
    if (verdict.kind === 'silence') return { name: verdict.why }
    const isSame = latin1Of(verdict.requests[0]!.replay.id) === latin1Of(packetId(text))
    return { name: 'requests', ...(isOfAnybody && !isSame && { fault: 'let in as another packet' }) }
  } catch (error) {
    return { name: 'thrown', fault: `${error}` }
  }
}

/** Changed by anybody; one of eight only at its end, where several texts mean the same bytes. */
function respelt({ wire }: Valid, random: Random): Uint8Array {
  if (random.below(8) > 0) return mutate(wire, random, BASE64)
  const end = random.below(2) === 0 ? Uint8Array.of(random.of(BASE64)) : joined(wire.subarray(-1), latin1Bytes('='))
  return joined(wire.subarray(0, -1), end, mutate(latin1Bytes('='), random, BASE64))
}

/** Another salt or cipher text under the right HMAC. */
function recoded({ keys, text, salt }: Valid, random: Random): Uint8Array {
  const blob = encrypt(text, keys.key, keys.mode, salt)
  return signed(mutate(blob, random, blob), keys)
}

/** Another text, mostly with the right digest. */
function rewritten({ keys, text, salt }: Valid, random: Random): Uint8Array {
  const end = text.lastIndexOf(0x3a)
  const body = mutate(text.subarray(0, end), random, TEXT)
  const digest = random.below(8) === 0 ? text.subarray(end + 1) : latin1Bytes(digestText('sha256', body))
  return signed(encrypt(joined(body, latin1Bytes(':'), digest), keys.key, keys.mode, salt), keys)
}

function signed(blob: Uint8Array, { hmac }: Valid['keys']): Uint8Array {
  const text = encodeBase64(blob)
  const mac = hmac === undefined ? '' : macText(hmac, latin1Bytes(text))
  return latin1Bytes(text.slice(PREFIX.length) + mac)
}
