/**
 * Datagrams of all kinds, one after the other from one port, and what the server said. Where postern says something else, it
 * is by one of the rules below: they look at the bytes alone, and each time that one was needed is a note.
 */
import { authOf, decode, encode, type Message, ZERO_AUTH } from '../../lib/wire/letmein.js'
import { policyOf, serve, shown } from './letmein-server.js'
import { bytesOf, type Fields, idOf, listOf, optional, textOf, wrong } from './shape.js'
import type { Tally } from './tally.js'

const MESSAGE_BYTES = 56
const OPERATIONS = ['CHALLENGE', 'COMEIN', 'GOAWAY'] as const

interface Step {
  readonly sent: Uint8Array
  /** Of which letmein reads the first 56 bytes. */
  readonly message: Message | undefined
  /** None: silence. */
  readonly answer: Message | undefined
}

/** What has happened on this port so far. */
interface Story {
  /** The salts of right KNOCKs and REVOKEs. */
  readonly salts: Set<string>
  /** Our CHALLENGE's auth and the file's. */
  challenge: { readonly ours: Uint8Array; readonly theirs: Uint8Array; readonly knock: Message } | undefined
  /** Something else than its RESPONSE came after our CHALLENGE. */
  isDisturbed: boolean
  isAnswered: boolean
}

/** Counts one entry. Throws ShapeError where it is none. */
export function countMalformed(fields: Fields, where: string, tally: Tally): void {
  const policy = policyOf(fields, where)
  const key = bytesOf(fields, 'key', where)
  if (key.length !== 32) throw wrong(`${where}.key`, `${key.length} bytes`, '32 bytes')
  const user = idOf(fields, 'user', where)
  const resource = idOf(fields, 'resource', where)
  const hear = serve({ user, key, policy, resources: [resource] })
  const story: Story = {
    salts: new Set(),
    challenge: undefined,
    isDisturbed: false,
    isAnswered: false,
  }
  const differences: string[] = []
  listOf(fields, 'steps').forEach((step, i) => {
    const { sent, message, answer } = stepOf(step, `${where}.steps[${i}]`)
    const kind = kindOf(message, user, key, story)
    const other = otherAnswer(sent, message, kind, policy, story)
    const expected = other === undefined ? shown(answer) : other.expected
    const ours = hear(resigned(sent, message, key, story))
    if (shown(ours) !== expected)
      differences.push(`step ${i}: ${shown(ours)} here, ${expected} expected (${shown(answer)} in the file)`)
    else if (other !== undefined && expected !== shown(answer))
      tally.notes.push(`${where}: step ${i}: ${expected} here, ${shown(answer)} in the file: ${other.why}`)
    follow(story, kind, message, ours, answer)
  })
  tally.count(where, differences)
}

function stepOf(fields: Fields, where: string): Step {
  const sent = bytesOf(fields, 'sent', where)
  const word = textOf(fields, 'answer', where)
  if (word !== 'silence' && !OPERATIONS.includes(word as never))
    throw wrong(`${where}.answer`, word, `silence, ${OPERATIONS.join(', ')}`)
  const bytes = optional(bytesOf, fields, 'answer_datagram', where)
  const answer = bytes === undefined ? undefined : messageIn(bytes)
  if ((answer?.operation ?? 'silence') !== word) throw wrong(`${where}.answer_datagram`, answer?.operation, word)
  return { sent, message: messageIn(sent), answer }
}

function messageIn(bytes: Uint8Array): Message | undefined {
  const message = decode(bytes.subarray(0, MESSAGE_BYTES))
  return 'why' in message ? undefined : message
}

type Kind = 'right-knock' | 'right-response' | 'wrong-response' | 'server' | 'other'

/** What a message is by the file's own challenge. */
function kindOf(message: Message | undefined, user: number, key: Uint8Array, story: Story): Kind {
  switch (message?.operation) {
    case 'KNOCK':
    case 'REVOKE':
      return message.user === user && isSigned(message, key, ZERO_AUTH) ? 'right-knock' : 'other'
    case 'RESPONSE':
      return isRightResponse(message, key, story) ? 'right-response' : 'wrong-response'
    case undefined:
      return 'other'
    default:
      return 'server'
  }
}

function isRightResponse(message: Message, key: Uint8Array, { challenge }: Story): boolean {
  if (challenge === undefined) return false
  const { knock, theirs } = challenge
  return message.user === knock.user && message.resource === knock.resource && isSigned(message, key, theirs)
}

function isSigned(message: Message, key: Uint8Array, challenge: Uint8Array): boolean {
  return Buffer.compare(authOf(key, message, challenge), message.auth) === 0
}

/** The rules: where postern says something else than letmein, and why. */
function otherAnswer(
  sent: Uint8Array,
  message: Message | undefined,
  kind: Kind,
  policy: string,
  story: Story,
): { readonly expected: string; readonly why: string } | undefined {
  const silence = (why: string) => ({ expected: 'silence', why })
  if (sent.length !== MESSAGE_BYTES) return silence('it is not just 56 bytes')
  if (kind === 'server') return silence('only a server says that: two servers would answer each other for ever')
  if (kind === 'right-knock' && story.salts.has(saltOf(message!))) return silence('its salt was heard before')
  if (kind === 'wrong-response' && policy !== 'always')
    return silence('a wrong RESPONSE shows no key, and ends no exchange')
  if (kind !== 'right-response') return undefined
  if (story.isAnswered) return silence('this RESPONSE was heard before')
  if (!story.isDisturbed) return undefined
  return {
    expected: shown({ ...message!, operation: 'COMEIN' }),
    why: 'what came before shows no key, and ends no exchange',
  }
}

/** A RESPONSE that was made for the file's CHALLENGE, made for ours. Anything else as it is. */
function resigned(sent: Uint8Array, message: Message | undefined, key: Uint8Array, { challenge }: Story): Uint8Array {
  if (message?.operation !== 'RESPONSE' || challenge === undefined || sent.length !== MESSAGE_BYTES) return sent
  if (!isSigned(message, key, challenge.theirs)) return sent
  return encode({ ...message, auth: authOf(key, message, challenge.ours) })
}

function follow(
  story: Story,
  kind: Kind,
  message: Message | undefined,
  ours: Message | undefined,
  theirs: Message | undefined,
): void {
  if (kind === 'right-knock') story.salts.add(saltOf(message!))
  if (ours?.operation === 'CHALLENGE' && theirs?.operation === 'CHALLENGE')
    story.challenge = { ours: ours.auth, theirs: theirs.auth, knock: message! }
  else if (kind === 'right-response') story.isAnswered = ours?.operation === 'COMEIN' || story.isAnswered
  else if (story.challenge !== undefined) story.isDisturbed = true
}

function saltOf({ user, salt }: Message): string {
  return `${user} ${Buffer.from(salt).toString('hex')}`
}
