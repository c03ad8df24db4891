/**
 * What a packet of fwknop's says once it is decrypted: fields between colons and a digest. Specification: docs/PROTOCOL.md, "fwknop".
 * The reader takes and refuses what libfko 2.6.10 takes and refuses. Texts are Latin-1: one character is one byte. Pure.
 */
import type { FwknopFault } from '../gate/verdict.js'
import { accessOf, isCommand, isNatAccess, isUsername } from './fwknop-access.js'
import { decodeBase64, encodeBase64, latin1Bytes, latin1Of } from './fwknop-base64.js'
import { DIGEST_CHARS, DIGESTS, digestText, isSameText } from './fwknop-digest.js'
import type { FwknopDigest } from './fwknop-types.js'

/** What every client of 2.x says. */
export const VERSION = '3.0.0'
export const RAND_DIGITS = 16
export const MAX_TIMEOUT_SECONDS = 65536
/** Real peers hold the time in 32 signed bits. */
export const MAX_TIME_SECONDS = 2 ** 31 - 1
const MIN_BYTES = 36
const MAX_BYTES = 1499
const MAX_FIELD_CHARS = 256

/** 0 command, 1 access, 2 NAT access, 3 access with a time-out, 4 NAT access with one, 5 local NAT access, 6 that with a time-out. */
export type FwknopType = 0 | 1 | 2 | 3 | 4 | 5 | 6

export interface FwknopMessage {
  /** 16 random digits. */
  readonly rand: string
  readonly username: string
  /** Unix time in seconds. */
  readonly timeSeconds: number
  readonly version: string
  readonly type: FwknopType
  /** `accessOf` reads it; of type 0 a command. */
  readonly message: string
  /** Types 2, 4, 5 and 6: `host,port`. */
  readonly natAccess?: string
  /** No client has an option for it, no server reads it. */
  readonly serverAuth?: string
  /** Types 3, 4 and 6: how long it is to be open. Else 0. */
  readonly timeoutSeconds: number
  readonly digest: FwknopDigest
}

/** Why a packet is none, and what was found. */
export interface FwknopRefusal {
  readonly why: FwknopFault
  readonly detail?: string
}

export const hasTimeout = (type: FwknopType): boolean => type === 3 || type === 4 || type === 6
export const hasNat = (type: FwknopType): boolean => type === 2 || type >= 4

/** The type that asks for a NAT (`none`, or which) with or without a time-out. */
export function typeOf(nat: 'none' | 'forwarded' | 'local', timeoutSeconds: number): FwknopType {
  if (nat === 'none') return timeoutSeconds > 0 ? 3 : 1
  if (nat === 'forwarded') return timeoutSeconds > 0 ? 4 : 2
  return timeoutSeconds > 0 ? 6 : 5
}

/** The text that is encrypted. Throws RangeError where a field is one that no server takes. */
export function encodeText(message: FwknopMessage): Uint8Array {
  const { rand, username, timeSeconds, version, type, timeoutSeconds, natAccess, serverAuth } = message
  check('rand', rand, /^[0-9]{16}$/.test(rand), '16 digits')
  check('user name', username, isUsername(username), '1–48 characters of ASCII, none of " / \\ [ ] : ; | = , + * ? < >')
  const isTime = Number.isInteger(timeSeconds) && timeSeconds >= 0 && timeSeconds <= MAX_TIME_SECONDS
  check('time', timeSeconds, isTime, `0–${MAX_TIME_SECONDS}`)
  check('version', version, /^[ -9;-~]{1,8}$/.test(version), '1–8 characters')
  check('type', type, Number.isInteger(type) && type >= 0 && type <= 6, '0–6')
  check('message', message.message, isMessage(type, message.message), expectedMessage(type))
  check('nat access', natAccess, hasNat(type) ? isNatAccess(natAccess ?? '') : natAccess === undefined, 'host,port')
  const most = hasTimeout(type) ? MAX_TIMEOUT_SECONDS : 0
  const isTimeout = Number.isInteger(timeoutSeconds) && timeoutSeconds >= Math.min(1, most) && timeoutSeconds <= most
  check('time-out', timeoutSeconds, isTimeout, most === 0 ? `0 in type ${type}` : `1–${most}`)
  check('server auth', serverAuth, serverAuth !== '', 'text or nothing')
  const fields = [rand, base64Field(username), timeSeconds, version, type, base64Field(message.message)]
  if (natAccess !== undefined) fields.push(base64Field(natAccess))
  if (serverAuth !== undefined) fields.push(base64Field(serverAuth))
  if (hasTimeout(type)) fields.push(timeoutSeconds)
  const body = latin1Bytes(fields.join(':'))
  return latin1Bytes(`${latin1Of(body)}:${digestText(message.digest, body)}`)
}

/** The message in it, or why it is none. Never throws, whatever the bytes are. */
export function decodeText(plain: Uint8Array): FwknopMessage | FwknopRefusal {
  if (plain.length < MIN_BYTES || plain.length > MAX_BYTES || !plain.every(isPrintable)) return { why: 'text' }
  const text = latin1Of(plain)
  if (!/^[0-9]{16}:/.test(text)) return { why: 'text' }
  const end = text.lastIndexOf(':')
  const fields = text.slice(0, end).split(':')
  const digest = digestOf(plain.subarray(0, end), text.slice(end + 1))
  if (digest === undefined) return { why: 'digest' }
  if (fields.length < 6) return { why: 'fields', detail: `${fields.length + 1} fields` }
  return messageIn(fields, digest)
}

function messageIn(fields: readonly string[], digest: FwknopDigest): FwknopMessage | FwknopRefusal {
  const [rand, userText, timeText, version, typeText, messageText, ...rest] = fields as [string, ...string[]]
  const username = textIn(userText!, 1, 64)
  if (username === undefined || !isUsername(username)) return { why: 'user-field' }
  const timeSeconds = timeIn(timeText!)
  if (timeSeconds === undefined) return { why: 'time-field', detail: `time "${timeText!.slice(0, 24)}"` }
  if (version!.length < 1 || version!.length > 8) return { why: 'version-field' }
  const type = typeIn(typeText!)
  if (type === undefined) return { why: 'type-field', detail: `type "${typeText!.slice(0, 24)}"` }
  const most = 1 + Number(hasNat(type)) + Number(hasTimeout(type))
  if (rest.length > most) return { why: 'fields', detail: `${rest.length} fields more in type ${type}` }
  const message = textIn(messageText!, 1, MAX_FIELD_CHARS)
  if (message === undefined || !isMessage(type, message)) return { why: 'message-field' }
  const natAccess = hasNat(type) ? textIn(rest.shift() ?? '', 1, MAX_FIELD_CHARS) : undefined
  if (hasNat(type) && (natAccess === undefined || !isNatAccess(natAccess))) return { why: 'nat-field' }
  const timeoutSeconds = hasTimeout(type) ? timeoutIn(rest.pop() ?? '') : 0
  if (timeoutSeconds === undefined) return { why: 'timeout-field' }
  const authText = rest[0] ?? ''
  const serverAuth = textIn(authText, 0, MAX_FIELD_CHARS)
  if (serverAuth === undefined) return { why: 'auth-field' }
  return {
    rand,
    username,
    timeSeconds,
    version: version!,
    type,
    message,
    ...(natAccess !== undefined && { natAccess }),
    ...(authText !== '' && { serverAuth }),
    timeoutSeconds,
    digest,
  }
}

/** A base64 field of so many characters; what it means ends at a zero byte, as text does in C. */
function textIn(field: string, least: number, most: number): string | undefined {
  const bytes = field.length < least || field.length > most ? undefined : decodeBase64(field)
  if (bytes === undefined) return undefined
  const zero = bytes.indexOf(0)
  return latin1Of(zero < 0 ? bytes : bytes.subarray(0, zero))
}

/** C's strtol, held in 32 signed bits: no digits are 0, what follows them is not read. */
function timeIn(text: string): number | undefined {
  if (text.length < 1 || text.length > 12) return undefined
  const seconds = leadingNumber(text) | 0
  return seconds < 0 ? undefined : seconds
}

function typeIn(text: string): FwknopType | undefined {
  if (text.length < 1 || text.length > 2) return undefined
  const type = leadingNumber(text)
  return type >= 0 && type <= 6 ? ((type | 0) as FwknopType) : undefined
}

function leadingNumber(text: string): number {
  return Number(/^ *([+-]?[0-9]+)/.exec(text)?.[1] ?? 0)
}

function timeoutIn(text: string): number | undefined {
  if (!/^[0-9]{1,256}$/.test(text)) return undefined
  const seconds = Number(text)
  return seconds <= MAX_TIMEOUT_SECONDS ? seconds : undefined
}

function digestOf(body: Uint8Array, text: string): FwknopDigest | undefined {
  const possible = DIGESTS.filter((digest) => DIGEST_CHARS[digest] === text.length)
  return possible.find((digest) => isSameText(digestText(digest, body), text))
}

function isMessage(type: FwknopType, message: string): boolean {
  return type === 0 ? isCommand(message) : accessOf(message) !== undefined
}

function expectedMessage(type: FwknopType): string {
  return type === 0 ? 'IPv4 address,command' : 'IPv4 address,tcp/port or udp/port, …'
}

function base64Field(text: string): string {
  const field = encodeBase64(latin1Bytes(text))
  check('field', text, field.length <= MAX_FIELD_CHARS && !text.includes('\0'), '192 bytes at most, none of them zero')
  return field
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte <= 0x7e
}

function check(name: string, value: unknown, isRight: boolean, expected: string): void {
  if (!isRight) throw new RangeError(`${name} ${JSON.stringify(value)}: expected ${expected}`)
}
