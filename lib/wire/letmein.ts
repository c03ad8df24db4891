/**
 * The letmein exchange: its 56-byte messages and their authentication. Specification: docs/PROTOCOL.md, "The letmein
 * exchange". Pure: randomness is handed in.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha3_256 } from '@noble/hashes/sha3.js'
import type { ResourceId, UserId } from './ids.js'

export const MESSAGE_BYTES = 56
export const MAGIC = 0x3b1bb719
export const SALT_BYTES = 8
export const AUTH_BYTES = 32
/** operation ‖ user ‖ resource ‖ salt ‖ challenge. */
export const AUTH_INPUT_BYTES = 52
const KEY_BYTES = 32

/** A number's meaning is its place here. */
const OPERATIONS = ['KNOCK', 'CHALLENGE', 'RESPONSE', 'COMEIN', 'GOAWAY', 'REVOKE'] as const
export type MessageOperation = (typeof OPERATIONS)[number]

const OFFSET = { magic: 0, operation: 4, user: 8, resource: 12, salt: 16, auth: 24 }

/** What goes into the auth of a KNOCK or REVOKE, and what is the auth of a COMEIN or GOAWAY. */
export const ZERO_AUTH: Readonly<Uint8Array> = new Uint8Array(AUTH_BYTES)
/** User and resource of a GOAWAY to somebody of whom no KNOCK is known. */
export const NO_ID = 0xffffffff

export interface Message {
  readonly operation: MessageOperation
  readonly user: UserId
  readonly resource: ResourceId
  /** 8 bytes. */
  readonly salt: Uint8Array
  /** 32 bytes. */
  readonly auth: Uint8Array
}

/** What a message's auth is made of, but for key and challenge. */
export type Signed = Omit<Message, 'auth'>

/** Why bytes are no message. */
export interface Misfit {
  readonly why: 'length' | 'magic' | 'operation'
  readonly detail?: string
}

/** HMAC-SHA3-256(key, operation ‖ user ‖ resource ‖ salt ‖ challenge), 32 bytes. */
export type AuthOf = (key: Uint8Array, message: Signed, challenge: Uint8Array) => Uint8Array

/** The 56 bytes on the wire. Throws RangeError where a field does not fit. */
export function encode(message: Message): Uint8Array {
  checkLength('auth', message.auth, AUTH_BYTES)
  const bytes = new Uint8Array(MESSAGE_BYTES)
  new DataView(bytes.buffer).setUint32(OFFSET.magic, MAGIC)
  putSigned(bytes, OFFSET.operation, message)
  bytes.set(message.auth, OFFSET.auth)
  return bytes
}

/** The message in exactly 56 bytes (salt and auth are views of them), or why it is none. Never throws. */
export function decode(bytes: Uint8Array): Message | Misfit {
  if (bytes.length !== MESSAGE_BYTES) return { why: 'length', detail: `${bytes.length} bytes` }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(OFFSET.magic) !== MAGIC) return { why: 'magic' }
  const number = view.getUint32(OFFSET.operation)
  const operation = OPERATIONS[number]
  if (operation === undefined) return { why: 'operation', detail: `operation ${number}` }
  return {
    operation,
    user: view.getUint32(OFFSET.user),
    resource: view.getUint32(OFFSET.resource),
    salt: bytes.subarray(OFFSET.salt, OFFSET.auth),
    auth: bytes.subarray(OFFSET.auth),
  }
}

/** Whether these are 56 bytes with letmein's magic: what the letmein gate is for. Never throws. */
export function isLetmein(bytes: Uint8Array): boolean {
  return (
    bytes.length === MESSAGE_BYTES && bytes[0] === 0x3b && bytes[1] === 0x1b && bytes[2] === 0xb7 && bytes[3] === 0x19
  )
}

/** The 52 bytes that are authenticated. `challenge`: 32 bytes; zeros but in a RESPONSE. Throws RangeError where one does not fit. */
export function authInput(message: Signed, challenge: Uint8Array): Uint8Array {
  checkLength('challenge', challenge, AUTH_BYTES)
  const input = new Uint8Array(AUTH_INPUT_BYTES)
  putSigned(input, 0, message)
  input.set(challenge, AUTH_INPUT_BYTES - AUTH_BYTES)
  return input
}

/** A message's auth, 32 bytes. Throws RangeError where key (32 bytes), challenge (32) or a field does not fit. */
export const authOf: AuthOf = (key, message, challenge) => {
  checkLength('key', key, KEY_BYTES)
  return hmac(sha3_256, key, authInput(message, challenge))
}

/** The message with its auth, as 56 bytes. Throws RangeError as `authOf` does. */
export function encodeSigned(message: Signed, key: Uint8Array, challenge: Uint8Array): Uint8Array {
  return encode({ ...message, auth: authOf(key, message, challenge) })
}

/** Whether two auths are the same. The time that it takes depends on nothing but their lengths. */
export function isSameAuth(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

/** operation ‖ user ‖ resource ‖ salt: 20 bytes. */
function putSigned(bytes: Uint8Array, offset: number, message: Signed): void {
  checkLength('salt', message.salt, SALT_BYTES)
  const operation = OPERATIONS.indexOf(message.operation)
  if (operation < 0) throw new RangeError(`operation "${message.operation}": expected ${OPERATIONS.join(', ')}`)
  const view = new DataView(bytes.buffer)
  view.setUint32(offset, operation)
  view.setUint32(offset + 4, checkedId('user', message.user))
  view.setUint32(offset + 8, checkedId('resource', message.resource))
  bytes.set(message.salt, offset + 12)
}

function checkedId(name: string, id: number): number {
  if (Number.isInteger(id) && id >= 0 && id <= 0xffffffff) return id
  throw new RangeError(`${name} ${id}: expected a whole number 0–4294967295`)
}

function checkLength(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`${name} of ${bytes.length} bytes: expected ${length}`)
}
