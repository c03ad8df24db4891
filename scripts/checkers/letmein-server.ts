/** A posternd without sockets and firewall, for vectors: the letmein gate, salts and replay window behind one path. */
import { randomBytes } from 'node:crypto'
import { Challenges } from '../../lib/gate/challenges.js'
import { type ErrorPolicy, LetmeinGate, type LetmeinVerdict } from '../../lib/gate/letmein.js'
import { LetmeinConnection } from '../../lib/gate/letmein-connection.js'
import type { Path } from '../../lib/gate/verdict.js'
import { ReplayWindow } from '../../lib/replay/window.js'
import { decode, type Message } from '../../lib/wire/letmein.js'
import { type Fields, textOf, wrong } from './shape.js'

const NOW = { wallMs: 1_800_000_000_000, monoMs: 1_000_000 }
const SLOT_MS = 5000
const PATHS: Readonly<Record<number, Path>> = {
  4: { source: '192.0.2.7', sourcePort: 40000, destination: '192.0.2.1', destinationPort: 5800 },
  6: { source: '2001:db8::7', sourcePort: 40000, destination: '2001:db8::1', destinationPort: 5800 },
}

export interface TestServer {
  readonly user: number
  /** None: it does not know the user. */
  readonly key: Uint8Array | undefined
  readonly policy: ErrorPolicy
  /** What this user may open. */
  readonly resources: readonly number[]
  readonly ipVersion?: number
  readonly transport?: string
}

/** What comes back. Its firewall does what it is asked to, so a request is answered with COMEIN. */
export type Hear = (bytes: Uint8Array) => Message | undefined

/** A server of its own, and a client's path to it. */
export function serve({ user, key, policy, resources, ipVersion = 4, transport = 'udp' }: TestServer): Hear {
  const window = new ReplayWindow(1000)
  const salts = new Set<string>()
  const gate = new LetmeinGate(
    {
      users: key === undefined ? [] : [{ id: user, key }],
      resources: resources.map((id) => ({ id, isControlPort: false })),
      errorPolicy: policy,
    },
    {
      challenges: new Challenges(randomBytes(32), SLOT_MS),
      salts: {
        note: (id, salt) => {
          const name = `${id} ${Buffer.from(salt).toString('hex')}`
          if (salts.has(name)) return 'seen'
          salts.add(name)
          return 'new'
        },
      },
      random: (length) => randomBytes(length),
    },
  )
  const path = PATHS[ipVersion] ?? PATHS[4]!
  const connection = new LetmeinConnection(gate, path)
  const answerTo = (verdict: LetmeinVerdict | undefined): Uint8Array | undefined => {
    if (verdict?.kind === 'reply') return verdict.bytes
    if (verdict?.kind !== 'request') return undefined
    const { replay, answer } = verdict.request
    if (window.refusal(replay.user, replay.id, replay.timeMs) !== undefined) return undefined
    window.note({ ...replay, expiresMonoMs: NOW.monoMs + SLOT_MS })
    return answer?.comein
  }
  return (bytes) => {
    const verdict = transport === 'tcp' ? connection.heard(bytes, NOW)[0] : gate.judge({ ...path, bytes }, NOW)
    const answer = answerTo(verdict)
    if (answer === undefined) return undefined
    const message = decode(answer)
    if ('why' in message) throw new Error(`an answer of ours is no message: ${message.why}`)
    return message
  }
}

/** The field `control_error_policy`. */
export function policyOf(fields: Fields, where: string): ErrorPolicy {
  const policy = textOf(fields, 'control_error_policy', where)
  if (policy === 'always' || policy === 'basic-auth' || policy === 'full-auth') return policy
  throw wrong(`${where}.control_error_policy`, policy, 'always, basic-auth or full-auth')
}

/** A message as a difference shows it. */
export function shown(message: Pick<Message, 'operation' | 'user' | 'resource'> | undefined): string {
  if (message === undefined) return 'silence'
  const ids = [message.user, message.resource].map((id) => id.toString(16).padStart(8, '0').toUpperCase())
  return `${message.operation} ${ids.join(' ')}`
}
