/**
 * Holds wire and gate of postern SPA against a file of vectors. Specification of the protocol: docs/PROTOCOL.md. The file:
 * `valid` (datagrams that open at time_ms, with all they are made of), `invalid` (datagrams to which a server with that key,
 * realm and time stays silent) and `instant_tokens`.
 */
import { SpaGate } from '../../lib/gate/spa.js'
import type { Operation, Verdict } from '../../lib/gate/verdict.js'
import { canonicalAddress } from '../../lib/wire/address.js'
import { type Knock, open, payloadOf, seal } from '../../lib/wire/spa.js'
import { deriveKeys, slotOf, TOKEN_BYTES, tagOf, tokenOf } from '../../lib/wire/spa-keys.js'
import { attempt, compareBytes, compareFields } from './compare.js'
import { bytesOf, type Fields, fieldsOf, idOf, listOf, optional, ShapeError, textOf, wholeOf, wrong } from './shape.js'
import { Tally } from './tally.js'

const LISTS = ['valid', 'invalid', 'instant_tokens'] as const
const OPERATIONS: readonly Operation[] = ['open', 'revoke', 'extend']
const WINDOW_MS = 60_000
/** Where the datagrams are said to come from: an address that no vector is likely to name as its own. */
const SOURCE = '198.51.100.213'

/** Counts each vector once; throws ShapeError where the file is none of this kind, or has not one vector. */
export function checkSpa(file: unknown): Tally {
  const lists = fieldsOf(file, 'file')
  for (const name of Object.keys(lists))
    if (Array.isArray(lists[name]) && !LISTS.includes(name as never))
      throw wrong('file', name, `the lists ${LISTS.join(', ')}`)
  const tally = new Tally()
  listOf(lists, 'valid').forEach((fields, i) => {
    tally.count(`valid[${i}]`, differencesOfValid(vectorOf(fields, `valid[${i}]`)))
  })
  listOf(lists, 'invalid').forEach((fields, i) => {
    countInvalid(fields, `invalid[${i}]`, tally)
  })
  listOf(lists, 'instant_tokens').forEach((fields, i) => {
    tally.count(`instant_tokens[${i}]`, differencesOfToken(fields, `instant_tokens[${i}]`))
  })
  if (tally.agreed + tally.differed === 0) throw new ShapeError(`not one vector in it: expected ${LISTS.join(', ')}`)
  return tally
}

type Vector = ReturnType<typeof vectorOf>

/** All that a datagram is made of, as the file says it. */
function vectorOf(fields: Fields, where: string) {
  const bytes = (name: string) => bytesOf(fields, name, where)
  const whole = (name: string) => wholeOf(fields, name, where)
  const address = optional(textOf, fields, 'address', where)
  const canonical = address === undefined ? undefined : canonicalAddress(address)
  if (address !== undefined && canonical === undefined)
    throw wrong(`${where}.address`, address, 'an IP address or null')
  const operation = whole('operation')
  const instantIndex = optional(wholeOf, fields, 'instant_index', where)
  const knock: Knock = {
    operation: OPERATIONS[operation] ?? (`${operation}` as Operation),
    user: idOf(fields, 'user', where),
    resource: idOf(fields, 'resource', where),
    timeMs: whole('time_ms'),
    lifetimeSeconds: whole('lifetime_s'),
    ...(canonical !== undefined && { address: canonical }),
    instant: instantIndex !== undefined,
  }
  return {
    key: bytes('key'),
    realm: textOf(fields, 'realm', where),
    slot: whole('slot'),
    tagIndex: whole('tag_index'),
    instantIndex,
    knock,
    pad: whole('pad'),
    nonce: bytes('nonce'),
    subkeys: { tag: bytes('tag_key'), seal: bytes('seal_key'), instant: bytes('instant_key') },
    tag: bytes('tag'),
    payload: bytes('payload'),
    datagram: bytes('datagram'),
  }
}

function differencesOfValid(vector: Vector): string[] {
  const { knock, slot } = vector
  const found: string[] = []
  const same = (what: string, ours: () => Uint8Array, theirs: Uint8Array) =>
    found.push(...compareBytes(what, ours, theirs))
  const keys = attempt(() => deriveKeys(vector.key, vector.realm))
  if (typeof keys === 'string') return [`key: ${keys}`]
  for (const use of ['tag', 'seal', 'instant'] as const) same(`${use} key`, () => keys[use], vector.subkeys[use])
  if (slotOf(knock.timeMs) !== slot) found.push(`slot: ${slotOf(knock.timeMs)} here, ${slot} in the file`)
  same('tag', () => tagOf(keys.tag, slot, vector.tagIndex), vector.tag)
  const { instantIndex } = vector
  if (instantIndex !== undefined)
    same(
      'token in the nonce',
      () => tokenOf(keys.instant, slot, knock.resource, instantIndex),
      vector.nonce.subarray(0, TOKEN_BYTES),
    )
  same('payload', () => payloadOf(knock, vector.pad), vector.payload)
  same('datagram', () => seal(knock, keys.seal, vector.tag, vector.nonce, vector.pad), vector.datagram)
  found.push(...compareFields('opened', open(vector.datagram, keys.seal), knock))
  found.push(...differencesOfVerdict(judge(vector.datagram, keys, knock.user, knock.timeMs), vector))
  return found
}

function differencesOfVerdict(verdict: Verdict, { knock, nonce }: Vector): string[] {
  if (knock.instant) return compareFields('gate', verdict, { kind: 'silence', why: 'instant', user: knock.user })
  return compareFields('gate', verdict, {
    kind: 'request',
    request: {
      protocol: 'spa',
      operation: knock.operation,
      user: knock.user,
      resource: knock.resource,
      address: knock.address ?? SOURCE,
      addressSigned: knock.address !== undefined,
      lifetimeSeconds: knock.lifetimeSeconds,
      replay: { user: knock.user, id: nonce, timeMs: knock.timeMs, expiresMs: knock.timeMs + WINDOW_MS },
    },
  })
}

/**
 * Silence is what the file asks for. But every instant datagram is met with silence, so there it proves nothing about the
 * payload's other rules: then the bytes must be those of a faultless instant knock (whatever reason the file gives).
 */
function countInvalid(fields: Fields, where: string, tally: Tally): void {
  const key = bytesOf(fields, 'key', where)
  const realm = optional(textOf, fields, 'server_realm', where) ?? textOf(fields, 'realm', where)
  const datagram = bytesOf(fields, 'datagram', where)
  const user = idOf(fields, 'user', where)
  const timeMs = wholeOf(fields, 'time_ms', where)
  const reason = optional(textOf, fields, 'refused_because', where) ?? 'no reason given'
  const verdict = attempt(() => judge(datagram, deriveKeys(key, realm), user, timeMs))
  const differences = differencesOfSilence(verdict, fields, where, reason)
  if (
    typeof verdict !== 'string' &&
    verdict.kind === 'silence' &&
    verdict.why === 'instant' &&
    differences.length === 0
  )
    tally.notes.push(
      `${where}: a faultless instant knock, met with silence as every one; "${reason}" is not what its bytes say`,
    )
  tally.count(where, differences)
}

function differencesOfSilence(verdict: Verdict | string, fields: Fields, where: string, reason: string): string[] {
  if (typeof verdict === 'string') return [`gate: ${verdict}`]
  if (verdict.kind !== 'silence') return [`gate: ${verdict.kind} here, silence in the file (${reason})`]
  if (verdict.why !== 'instant') return []
  const { knock, subkeys, tag, nonce, pad, datagram } = vectorOf(fields, where)
  const faultless = compareBytes('faultless', () => seal(knock, subkeys.seal, tag, nonce, pad), datagram).length === 0
  return faultless ? [] : [`gate: silent only because the datagram is instant; in the file: ${reason}`]
}

function differencesOfToken(fields: Fields, where: string): string[] {
  const key = bytesOf(fields, 'key', where)
  const realm = textOf(fields, 'realm', where)
  const slot = wholeOf(fields, 'slot', where)
  const resource = idOf(fields, 'resource', where)
  const index = wholeOf(fields, 'index', where)
  const ours = () => tokenOf(deriveKeys(key, realm).instant, slot, resource, index)
  return compareBytes('token', ours, bytesOf(fields, 'token', where))
}

/** What a server that knows this one user says of the datagram at that time. */
function judge(bytes: Uint8Array, keys: { tag: Uint8Array; seal: Uint8Array }, id: number, nowMs: number): Verdict {
  const gate = new SpaGate({ users: [{ id, tag: keys.tag, seal: keys.seal }], windowMs: WINDOW_MS })
  gate.roll(nowMs)
  return gate.judge(
    { bytes, source: SOURCE, sourcePort: 40000, destination: '192.0.2.1', destinationPort: 5800 },
    nowMs,
  )
}
