/** Users, gates and datagrams for specs of letmein. */
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { Challenges } from '../../lib/gate/challenges.js'
import {
  type ErrorPolicy,
  LetmeinGate,
  type LetmeinKey,
  type LetmeinParts,
  type LetmeinSettings,
  type LetmeinVerdict,
} from '../../lib/gate/letmein.js'
import type { Path } from '../../lib/gate/verdict.js'
import type { Now } from '../../lib/replay/clock.js'
import {
  type AuthOf,
  authInput,
  decode,
  encode,
  encodeSigned,
  type Message,
  type MessageOperation,
  ZERO_AUTH,
} from '../../lib/wire/letmein.js'

export const T0: Now = { wallMs: 1_800_000_000_000, monoMs: 50_000 }
export const TIMEOUT_MS = 5000
export const HERE: Path = { source: '192.0.2.7', sourcePort: 40000, destination: '192.0.2.1', destinationPort: 5800 }
/** 1 may open 10 and 11 with everybody, 12 is for 2 alone, 13 is the control port. */
export const KEYS = new Map([1, 2].map((id) => [id, new Uint8Array(32).fill(id)]))
export const RESOURCES = [
  { id: 10, isControlPort: false },
  { id: 11, isControlPort: false },
  { id: 12, users: [2], isControlPort: false },
  { id: 13, isControlPort: true },
]
export const POLICIES: readonly ErrorPolicy[] = ['always', 'basic-auth', 'full-auth']

export const ids = fc.integer({ min: 0, max: 0xffffffff })
export const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

/** The same HMAC as the project's, of Node: the specs' own opinion, and quick. */
export const nativeAuthOf: AuthOf = (key, message, challenge) =>
  createHmac('sha3-256', key).update(authInput(message, challenge)).digest()

export function later(ms: number, wallMs = ms): Now {
  return { wallMs: T0.wallMs + wallMs, monoMs: T0.monoMs + ms }
}

/** Remembers all salts for ever. */
export function saltMemory() {
  const seen = new Set<string>()
  return {
    seen,
    note(user: number, salt: Uint8Array): 'new' | 'seen' | 'failed' {
      const name = `${user} ${Buffer.from(salt).toString('hex')}`
      if (seen.has(name)) return 'seen'
      seen.add(name)
      return 'new'
    },
  }
}

let drawn = 0

/** 8 bytes or more that were never drawn before. */
export function fresh(length = 8): Uint8Array {
  const random = Buffer.alloc(length)
  random.writeUInt32BE(++drawn, length - 4)
  return Uint8Array.from(random)
}

/** The keys above as the gate takes them. */
export function letmeinKeys(): LetmeinKey[] {
  return [...KEYS].map(([id, key]) => ({ id, key }))
}

export function gateWith(settings: Partial<LetmeinSettings> = {}, parts: Partial<LetmeinParts> = {}): LetmeinGate {
  return new LetmeinGate(
    { users: letmeinKeys(), resources: RESOURCES, errorPolicy: 'basic-auth', ...settings },
    {
      challenges: new Challenges(new Uint8Array(32).fill(9), TIMEOUT_MS),
      salts: saltMemory(),
      random: fresh,
      authOf: nativeAuthOf,
      ...parts,
    },
  )
}

/** A KNOCK of user 1 at resource 10, or whatever else is said; signed. */
export function knockBytes(more: Partial<Message> = {}): Uint8Array {
  const message = { operation: 'KNOCK' as MessageOperation, user: 1, resource: 10, salt: fresh(), ...more }
  const auth = more.auth ?? nativeAuthOf(KEYS.get(message.user) ?? new Uint8Array(32).fill(77), message, ZERO_AUTH)
  return encode({ ...message, auth })
}

/** The right RESPONSE to the CHALLENGE in a verdict. */
export function responseTo(verdict: LetmeinVerdict, more: Partial<Message> = {}): Uint8Array {
  const challenge = messageIn(verdict)
  if (challenge?.operation !== 'CHALLENGE') throw new Error(`${JSON.stringify(verdict)}: expected a CHALLENGE`)
  const { user, resource } = { ...challenge, ...more }
  const message = { operation: 'RESPONSE' as const, user, resource, salt: fresh() }
  return encodeSigned(message, KEYS.get(challenge.user)!, challenge.auth)
}

/** The message in a reply. */
export function messageIn(verdict: LetmeinVerdict): Message | undefined {
  if (verdict.kind !== 'reply') return undefined
  const message = decode(verdict.bytes)
  if ('why' in message) throw new Error(message.why)
  return message
}

/** `CHALLENGE`, `GOAWAY`, `request open`, `silence auth`. */
export function word(verdict: LetmeinVerdict): string {
  switch (verdict.kind) {
    case 'silence':
      return `silence ${verdict.why}`
    case 'reply':
      return messageIn(verdict)!.operation + (verdict.why === undefined ? '' : ` ${verdict.why}`)
    case 'request':
      return `request ${verdict.request.operation}`
    default:
      return verdict satisfies never
  }
}

/** A datagram that came this way. */
export function judge(gate: LetmeinGate, data: Uint8Array, now = T0, path: Path = HERE): LetmeinVerdict {
  return gate.judge({ ...path, bytes: data }, now)
}

export function fromPort(sourcePort: number): Path {
  return { ...HERE, sourcePort }
}

export function bytes32(fill: number): Uint8Array {
  return new Uint8Array(32).fill(fill)
}
