/**
 * Packets of fwknop's with what libfko reads in them, and what fwknopd did: opened here, sealed again, and judged by the gate. Entries
 * of all lists have much in common and are read by one function; what one does not say is not asked.
 */
import { FwknopGate } from '../../lib/gate/fwknop.js'
import { decryptPacket, openFwknop, readPacket, sealFwknop } from '../../lib/wire/fwknop.js'
import { accessOf } from '../../lib/wire/fwknop-access.js'
import { decodeBase64, latin1Of } from '../../lib/wire/fwknop-base64.js'
import { DIGESTS, digestText } from '../../lib/wire/fwknop-digest.js'
import type { FwknopMessage, FwknopRefusal } from '../../lib/wire/fwknop-text.js'
import { type FwknopKeys, type FwknopMode, portName } from '../../lib/wire/fwknop-types.js'
import { attempt, compareFields } from './compare.js'
import type { RcFiles } from './fwknop-commands.js'
import { differencesOfKeys, differencesOfNames, MODE_NUMBERS } from './fwknop-named.js'
import { differencesOfCommand } from './fwknop-sent.js'
import { bytesOf, type Fields, fieldsOf, optional, textOf, wholeOf, wrong } from './shape.js'
import type { Tally } from './tally.js'

const PREFIX = 'U2FsdGVkX1'
const MODES: readonly FwknopMode[] = ['cbc', 'ecb', 'cfb', 'ofb', 'ctr', 'legacy']
const AGE_MS = 120_000

/** Counts one packet that a real client sent: `isCanonical`, for sealing it again gives the same characters. */
export function countClientPacket(fields: Fields, where: string, tally: Tally, files: RcFiles): void {
  const verdict = isAccepted(optional(textOf, fields, 'expect_decode', where) ?? 'accept', where)
  const salt = saltOf(textOf(fields, 'wire', where))
  const note = (line: string) => tally.notes.push(line)
  const also = () => differencesOfCommand(fields, where, salt, verdict, files, note)
  countPacket(fields, where, tally, { isAccepted: verdict, said: fields['fields'], isCanonical: true, also })
}

/** One that libfko made and read itself. */
export function countLibraryPacket(fields: Fields, where: string, tally: Tally): void {
  const said = fieldsOf(fields['libfko_decode'], `${where}.libfko_decode`)
  countPacket(fields, where, tally, { isAccepted: said['ok'] === true, said, isCanonical: true })
}

/** One made by hand, and what libfko said of it. */
export function countEdgePacket(fields: Fields, where: string, tally: Tally): void {
  const verdict = isAccepted(textOf(fields, 'expect', where), where)
  countPacket(fields, where, tally, { isAccepted: verdict, said: fields['decoded'], isCanonical: false })
}

interface Expected {
  readonly isAccepted: boolean
  /** The fields that were read. */
  readonly said: unknown
  readonly isCanonical: boolean
  /** What else differs in it. */
  readonly also?: () => string[]
}

function countPacket(fields: Fields, at: string, tally: Tally, expected: Expected): void {
  const name = optional(textOf, fields, 'name', at)
  const where = name === undefined ? at : `${at} (${name})`
  const wire = textOf(fields, 'wire', where)
  const keys = keysIn(fields, where)
  const opened = openFwknop(bytesIn(wire), keys)
  const found = [...differencesOfWire(fields, wire, where), ...differencesOfKeys(fields, where)]
  if (expected.isAccepted && 'why' in opened && opened.why === 'prefix' && wire.startsWith(PREFIX))
    tally.notes.push(`${where}: libfko takes a packet with its prefix; fwknopd refuses it before, and so does postern`)
  else if (expected.isAccepted === 'why' in opened)
    found.push(`opened: ${saidOf(opened)} here, ${expected.isAccepted ? 'accepted' : 'refused'} in the file`)
  else if (!('why' in opened)) {
    found.push(...differencesOfMessage(opened, wire, keys, fields, expected, where))
    found.push(...differencesOfServer(opened, wire, keys, fields, where))
  }
  found.push(...differencesOfDecoding(fields, opened, where))
  tally.count(where, [...found, ...(expected.also?.() ?? [])])
}

/** What is true of the characters alone. */
function differencesOfWire(fields: Fields, wire: string, where: string): string[] {
  const found: string[] = []
  const same = (what: string, ours: unknown, theirs: unknown) => {
    if (theirs !== undefined) found.push(...compareFields(what, ours, theirs))
  }
  same('length', wire.length, optional(wholeOf, fields, 'wire_len', where))
  same('replay digest', digestText('sha256', bytesIn(wire)), optional(textOf, fields, 'replay_digest', where))
  const salt = optional(bytesOf, fields, 'salt_hex', where)
  same('salt', salt && saltOf(wire), salt)
  const halves = [optional(textOf, fields, 'wire_ciphertext', where), optional(textOf, fields, 'wire_hmac', where)]
  same('cipher text and HMAC', wire, halves[0] === undefined ? undefined : halves.join(''))
  return found
}

function differencesOfMessage(
  message: FwknopMessage,
  wire: string,
  keys: FwknopKeys,
  fields: Fields,
  { said, isCanonical }: Expected,
  where: string,
): string[] {
  const found: string[] = []
  const text = textIn(wire, keys)
  const plaintext = optional(textOf, fields, 'plaintext', where)
  // Where the text itself is what is odd, the file has none.
  if (plaintext !== undefined && plaintext !== '') found.push(...compareFields('plaintext', text, latin1(plaintext)))
  if (said !== undefined && said !== null) {
    const named = fieldsOf(said, where)
    found.push(...differencesOfFields(message, text, named), ...differencesOfNames(named, message, keys, wire))
  }
  if (isCanonical) {
    const again = attempt(() => ({ wire: sealFwknop(message, keys, saltOf(wire)) }))
    if (typeof again === 'string') found.push(`sealed again: ${again}`)
    else found.push(...compareFields('sealed again', again.wire, wire))
  }
  return found
}

/** Each field that the file names. Texts that are no ASCII may be said as UTF-8 or as Latin-1. */
function differencesOfFields(message: FwknopMessage, text: string, said: Fields): string[] {
  const end = text.lastIndexOf(':')
  const ours: Readonly<Record<string, unknown>> = {
    rand: message.rand,
    user: message.username,
    timestamp: message.timeSeconds,
    version: message.version,
    message_type: message.type,
    message: message.message,
    nat_access: message.natAccess ?? null,
    server_auth: message.serverAuth ?? null,
    client_timeout: message.timeoutSeconds,
    digest_type: DIGESTS.indexOf(message.digest) + 1,
    digest: text.slice(end + 1),
    encoded: text.slice(0, end),
  }
  return Object.entries(ours).flatMap(([name, value]) => {
    const theirs = said[name]
    const isSame = theirs === undefined || theirs === value || (typeof theirs === 'string' && latin1(theirs) === value)
    return isSame ? [] : compareFields(name, value, theirs)
  })
}

/**
 * What fwknopd did with it at its own time, with a stanza for every source and all ports: rules, or a refusal. Every port that is
 * asked for is guarded here.
 */
function differencesOfServer(message: FwknopMessage, wire: string, keys: FwknopKeys, fields: Fields, where: string) {
  const did = optional((all, name) => fieldsOf(all[name], where), fields, 'fwknopd_2_6_10', where)
  if (did === undefined) return []
  const ports = message.type === 0 ? [] : (accessOf(message.message)?.ports ?? [])
  const gate = new FwknopGate({
    stanzas: [
      { user: 1, title: 'stanza', keys, restrictPorts: [], leaseSeconds: 30, maxSeconds: 300, requireAddress: false },
    ],
    maxAgeMs: AGE_MS,
    resources: new Map(ports.map((port, i) => [portName(port), { resource: i, opens: [port], onlyNamed: false }])),
  })
  const way = { source: '198.51.100.213', sourcePort: 40000, destination: '192.0.2.1', destinationPort: 62201 }
  const verdict = gate.judge({ bytes: bytesIn(wire), ...way }, message.timeSeconds * 1000)
  const rules = wholeOf(did, 'rules', `${where}.fwknopd_2_6_10`)
  return compareFields('gate', verdict.kind === 'requests' ? 'rules' : verdict.kind, rules > 0 ? 'rules' : 'silence')
}

/** Whether fwknopd could read it, with what libfko says is a packet. */
function differencesOfDecoding(fields: Fields, opened: FwknopMessage | FwknopRefusal, where: string): string[] {
  const did = optional((all, name) => fieldsOf(all[name], where), fields, 'fwknopd_2_6_10', where)
  const decoded = did?.['decoded']
  return typeof decoded === 'boolean' ? compareFields('fwknopd decoded', !('why' in opened), decoded) : []
}

/** Keys as `key: {hex}` or as `key_hex`, types and modes by number or by name. */
export function keysIn(fields: Fields, where: string): FwknopKeys {
  const secret = (name: string) => {
    const held = fields[name]
    if (held !== undefined && held !== null)
      return bytesOf(fieldsOf(held, `${where}.${name}`), 'hex', `${where}.${name}`)
    return optional(bytesOf, fields, `${name}_hex`, where)
  }
  const key = secret('key')
  if (key === undefined) throw wrong(`${where}.key`, undefined, 'a key')
  const more = fields['fields'] === undefined ? fields : fieldsOf(fields['fields'], `${where}.fields`)
  const type = fields['hmac_type'] ?? more['hmac_type'] ?? 3
  const digest =
    typeof type === 'number' ? DIGESTS[type - 1] : DIGESTS.find((name) => name === String(type).toLowerCase())
  const hmac = secret('hmac_key')
  if (hmac === undefined || type === 0) return { key, mode: modeIn(fields, where) }
  if (digest === undefined) throw wrong(`${where}.hmac_type`, type, '1–7')
  return { key, mode: modeIn(fields, where), hmac: { key: hmac, digest } }
}

function modeIn(fields: Fields, where: string): FwknopMode {
  const said = fields['mode'] ?? 'CBC'
  const mode = typeof said === 'number' ? MODE_NUMBERS[said] : MODES.find((name) => name === String(said).toLowerCase())
  if (mode === undefined) throw wrong(`${where}.mode`, said, MODES.join(', '))
  return mode
}

function isAccepted(verdict: string, where: string): boolean {
  if (verdict !== 'accept' && verdict !== 'reject') throw wrong(where, verdict, 'accept or reject')
  return verdict === 'accept'
}

/** What was encrypted. */
function textIn(wire: string, keys: FwknopKeys): string {
  const packet = readPacket(bytesIn(wire))
  return 'why' in packet ? '' : latin1Of(decryptPacket(packet, keys).text ?? new Uint8Array(0))
}

/** No salt where it is not base64, which cannot be opened either. */
function saltOf(wire: string): Uint8Array {
  return decodeBase64((PREFIX + wire).slice(0, 22))?.subarray(8, 16) ?? new Uint8Array(8)
}

/** A wire is ASCII; what is not is as a file has it. */
function bytesIn(wire: string): Uint8Array {
  return new TextEncoder().encode(wire)
}

/** UTF-8's bytes as characters. */
function latin1(text: string): string {
  return latin1Of(new TextEncoder().encode(text))
}

function saidOf(opened: FwknopMessage | FwknopRefusal): string {
  return 'why' in opened ? `refused (${opened.why})` : 'accepted'
}
